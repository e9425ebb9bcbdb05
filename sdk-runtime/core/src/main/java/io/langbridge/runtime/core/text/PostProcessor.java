package io.langbridge.runtime.core.text;

import java.util.Arrays;
import java.util.List;

/** What a tokenizer puts around a text: the {@code post_processor} of {@code tokenizer.json}. Immutable. */
final class PostProcessor {
    private static final String SUPPORTED =
            "TemplateProcessing, ByteLevel, BertProcessing, RobertaProcessing and Sequence";

    private final int idLimit;
    private int[] before = new int[0];
    private int[] after = new int[0];

    private PostProcessor(int idLimit) {
        this.idLimit = idLimit;
    }

    /** @param idLimit the largest id plus one */
    static PostProcessor of(Part part, int idLimit) {
        PostProcessor processor = new PostProcessor(idLimit);
        processor.add(part);
        return processor;
    }

    int[] before() {
        return before.clone();
    }

    int[] after() {
        return after.clone();
    }

    private void add(Part part) {
        if (part.isNull()) {
            return;
        }
        String type = part.part("type").text();
        switch (type) {
            case "Sequence" -> part.part("processors").parts().forEach(this::add);
            case "ByteLevel" -> {}
            case "TemplateProcessing" -> template(part);
            case "BertProcessing", "RobertaProcessing" -> {
                before = join(pair(part.part("cls")), before);
                after = join(after, pair(part.part("sep")));
            }
            default -> throw part.unsupported(Shown.text(type), SUPPORTED);
        }
    }

    private int[] pair(Part part) {
        List<Part> pair = part.parts();
        if (pair.size() != 2) {
            throw part.damaged("is not a token and its id");
        }
        return new int[] {pair.get(1).integer(idLimit - 1)};
    }

    private void template(Part part) {
        Ids left = new Ids(Integer.MAX_VALUE);
        Ids right = new Ids(Integer.MAX_VALUE);
        boolean text = false;
        for (Part piece : part.part("single").parts()) {
            Part sequence = piece.part("Sequence");
            if (sequence.isNull()) {
                special(part, piece.part("SpecialToken").part("id"), text ? right : left);
            } else if (text || !sequence.part("id").text().equals("A")) {
                throw part.part("single").damaged("wants more than one text");
            } else {
                text = true;
            }
        }
        if (!text) {
            throw part.part("single").damaged("leaves the text out");
        }
        before = join(left.toArray(), before);
        after = join(after, right.toArray());
    }

    private void special(Part template, Part name, Ids ids) {
        for (Part id :
                template.part("special_tokens").part(name.text()).part("ids").parts()) {
            ids.add(id.integer(idLimit - 1));
        }
    }

    private static int[] join(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
