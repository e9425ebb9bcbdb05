package io.langbridge.runtime.training;

import io.langbridge.CheckpointException;
import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns records into token sequences, in the way the model is asked later. Thread-safe. */
final class SequenceEncoder {
    private final Tokenizer tokenizer;
    private final @Nullable PromptAssembler assembler;
    private final String place;
    private final int longest;

    /**
     * Creates an encoder.
     *
     * @param assembler the chat template's; null if there is none, and then there are no conversations
     * @param place the language model's folder, for messages
     * @param longest positions at most
     */
    SequenceEncoder(Tokenizer tokenizer, @Nullable PromptAssembler assembler, String place, int longest) {
        this.tokenizer = tokenizer;
        this.assembler = assembler;
        this.place = place;
        this.longest = longest;
    }

    /**
     * LLaVA's first stage: the picture alone, then the caption and a line break, which are learnt. What was asked for
     * the caption is left out.
     *
     * @param layouts of the pictures, of which there must be one
     */
    List<TokenSequence> caption(TrainingExample example, List<TokenLayout> layouts) {
        List<String> answers = new ArrayList<>();
        for (Message message : example.messages()) {
            if (message.role() == Role.ASSISTANT) {
                answers.add(message.text());
            }
        }
        if (layouts.size() != 1 || answers.size() != 1) {
            throw new TrainingDataException("Record " + example.name() + " has " + layouts.size() + " pictures and "
                    + answers.size() + " answers; pretraining learns from pairs of one picture and one caption");
        }
        TokenSequence.Builder sequence = new TokenSequence.Builder()
                .add(tokenizer.specialsBefore(), false)
                .add(layouts.get(0), 0)
                .add(tokenizer.encodeAsText(answers.get(0) + "\n"), true);
        return List.of(checked(example, sequence.build(longest)));
    }

    /**
     * The conversation in the chat template; answers are learnt up to the token that ends them. Prompts are tokenized
     * apart from answers, as they are when the model is asked. Where the template writes earlier turns differently once
     * they are past, a further sequence begins.
     *
     * @param layouts of all pictures, in order
     */
    List<TokenSequence> conversation(TrainingExample example, List<TokenLayout> layouts) {
        PromptAssembler template = Objects.requireNonNull(assembler, "assembler");
        List<TokenSequence> sequences = new ArrayList<>();
        TokenSequence.Builder sequence = new TokenSequence.Builder();
        String done = "";
        int picturesDone = 0;
        int tilesDone = 0;
        List<Message> messages = example.messages();
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role() != Role.ASSISTANT) {
                continue;
            }
            String prompt = template.render(messages.subList(0, i), true);
            String answered = template.render(messages.subList(0, i + 1), false);
            if (!answered.startsWith(prompt)) {
                throw new CheckpointException("The chat template in " + place + " writes a conversation with an answer"
                        + " differently from the prompt for that answer, so the model would learn what it never sees;"
                        + " use the template of the instruction-tuned model");
            }
            if (!prompt.startsWith(done)) {
                sequences.add(sequence.build(longest));
                sequence = new TokenSequence.Builder();
                done = "";
                picturesDone = 0;
                tilesDone = 0;
            }
            List<int[]> pieces = template.split(prompt.substring(done.length()), done.isEmpty());
            sequence.add(pieces.get(0), false);
            for (int[] piece : pieces.subList(1, pieces.size())) {
                if (picturesDone == layouts.size()) {
                    throw misplaced(example, layouts.size());
                }
                TokenLayout layout = layouts.get(picturesDone++);
                sequence.add(layout, tilesDone).add(piece, false);
                tilesDone += tiles(layout);
            }
            addAnswer(sequence, tokenizer.encode(answered.substring(prompt.length()), false));
            done = answered;
        }
        if (picturesDone != layouts.size()) {
            throw misplaced(example, layouts.size());
        }
        sequences.add(sequence.build(longest));
        sequences.forEach(each -> checked(example, each));
        return sequences;
    }

    private TrainingDataException misplaced(TrainingExample example, int pictures) {
        return new TrainingDataException("Record " + example.name() + " has " + pictures
                + " pictures, but the chat template in " + place + " gives place to another number of them");
    }

    private static int tiles(TokenLayout layout) {
        int last = 0;
        for (int i = 0; i < layout.tokens(); i++) {
            last = Math.max(last, layout.source(i));
        }
        return last / layout.patches() + 1;
    }

    /** What the template puts after the token that ends an answer, the model never has to say. */
    private void addAnswer(TokenSequence.Builder sequence, int[] ids) {
        int end = ids.length;
        for (int i = ids.length - 1; i >= 0; i--) {
            if (tokenizer.isSpecial(ids[i])) {
                end = i + 1;
                break;
            }
        }
        sequence.add(Arrays.copyOf(ids, end), true).add(Arrays.copyOfRange(ids, end, ids.length), false);
    }

    private TokenSequence checked(TrainingExample example, TokenSequence sequence) {
        if (sequence.answers() == 0) {
            throw new TrainingDataException("Record " + example.name() + " has no answer within the first " + longest
                    + " positions (maxLength); raise maxLength or shorten the record");
        }
        return sequence;
    }
}
