package io.langbridge.hub;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Which files of a model are fetched. */
final class Selection {
    private static final Pattern LEFT_OUT_FOLDER = Pattern.compile(
            "(?:.*/)?(?:original|onnx|openvino|coreml|gguf|flax|tf|runs|checkpoint-\\d+|global_step\\d+|\\.[^/]*)(?:/.*)?",
            Pattern.CASE_INSENSITIVE);
    private static final Pattern TEXT = Pattern.compile(".*\\.(?:json|txt|model|jinja)");
    /** What their authors' training left, and indexes of weights that are decided about apart. */
    private static final Pattern LEFT_OUT_TEXT = Pattern.compile(
            ".*\\.index(?:\\.[^.]+)?\\.json|trainer_state\\.json|.*_results\\.json|requirements.*\\.txt");
    /** The licence is kept beside a model that is passed on; the card names it. */
    private static final Pattern PAPERS = Pattern.compile("(?:LICEN[SC]E|COPYING|NOTICE).*|README\\.md");

    private static final Pattern PROJECTOR = Pattern.compile("mm_projector\\.(safetensors|bin)");
    private static final Pattern VOCABULARY = Pattern.compile(".*vocab.*\\.(?:safetensors|bin|pt|pth)");
    private static final Pattern SHARD = Pattern.compile("-\\d{5,}-of-\\d{5,}\\.");
    /** No vocabulary comes near; what is longer is somebody's data. */
    private static final long MAX_TEXT = 100_000_000;

    /** {@code model.fp16.safetensors} and {@code consolidated.safetensors} say again what is in the main file. */
    private static final Pattern AGAIN = Pattern.compile(
            "consolidated.*|(?:model|pytorch_model)\\.(?:fp16|bf16|fp32|int8|int4|8bit|4bit|ema|non_ema)[.-].*"
                    + "|(?:adapter_model|optimizer|scheduler|random_states|training_args).*");

    private Selection() {}

    /** What a runtime needs: safetensors rather than pickles, each tensor once, and the texts beside them. */
    static List<RepoFile> needed(List<RepoFile> files) {
        Set<String> folders = new HashSet<>(Set.of("", "additional_chat_templates"));
        for (RepoFile file : files) {
            // An encoder of its own inside the model's folder, for instance.
            if (file.name().equals("config.json")
                    && !LEFT_OUT_FOLDER.matcher(file.folder()).matches()) {
                folders.add(file.folder());
            }
        }
        List<RepoFile> chosen = new ArrayList<>();
        for (String folder : folders) {
            chosen.addAll(neededInFolder(
                    files.stream().filter(f -> f.folder().equals(folder)).toList()));
        }
        return chosen;
    }

    private static List<RepoFile> neededInFolder(List<RepoFile> files) {
        Set<String> names = new HashSet<>();
        files.forEach(f -> names.add(f.name()));
        // A tower or an adapter beside pickles does not stand for them.
        boolean pickles = names.stream().anyMatch(n -> isMain(n, ".bin"))
                && names.stream().noneMatch(n -> isNamed(n, "model.safetensors"));
        String kind = pickles ? ".bin" : ".safetensors";
        String whole = pickles ? "pytorch_model.bin" : "model.safetensors";
        boolean indexed = names.contains(whole + ".index.json");
        boolean named = names.stream().anyMatch(n -> isNamed(n, whole));
        List<RepoFile> chosen = new ArrayList<>();
        for (RepoFile file : files) {
            String name = file.name();
            boolean needed;
            if (PROJECTOR.matcher(name).matches()) {
                needed = name.endsWith(".safetensors") || !names.contains("mm_projector.safetensors");
            } else if (isMain(name, kind)) {
                // What an index names may have any name. Nothing reads others beside the weights themselves.
                needed = names.contains(whole) ? name.equals(whole) : indexed || !named || isNamed(name, whole);
            } else if (name.equals(whole + ".index.json")) {
                needed = !names.contains(whole);
            } else {
                needed = (TEXT.matcher(name).matches()
                                && file.size() <= MAX_TEXT
                                && !LEFT_OUT_TEXT.matcher(name).matches())
                        || PAPERS.matcher(name).matches()
                        || VOCABULARY.matcher(name).matches();
            }
            if (needed && !name.startsWith(".")) {
                chosen.add(file);
            }
        }
        return chosen;
    }

    /** Whether a name alone says that these are the weights of the model, or a part or the index of them. */
    private static boolean isNamed(String name, String whole) {
        return SHARD.matcher(name).replaceFirst(".").replace(".index.json", "").equals(whole);
    }

    /** Whether a file that is needed holds tensors of the model, rather than texts or a vocabulary. */
    static boolean isWeights(String name) {
        return PROJECTOR.matcher(name).matches() || isMain(name, ".safetensors") || isMain(name, ".bin");
    }

    private static boolean isMain(String name, String kind) {
        return name.endsWith(kind)
                && !PROJECTOR.matcher(name).matches()
                && !VOCABULARY.matcher(name).matches()
                && !AGAIN.matcher(name).matches()
                && (kind.equals(".safetensors") || name.startsWith("pytorch_model"));
    }

    /**
     * The files that patterns name, as Python's {@code allow_patterns} does: {@code *} stands for any characters,
     * slashes too. A pattern that begins with {@code !} leaves files out.
     */
    static List<RepoFile> matching(List<RepoFile> files, List<String> patterns) {
        List<Pattern> wanted = new ArrayList<>();
        List<Pattern> unwanted = new ArrayList<>();
        for (String pattern : patterns) {
            if (pattern.startsWith("!")) {
                unwanted.add(glob(pattern.substring(1)));
            } else {
                wanted.add(glob(pattern));
            }
        }
        return files.stream()
                .filter(f -> wanted.isEmpty() || fits(wanted, f))
                .filter(f -> !fits(unwanted, f))
                .toList();
    }

    private static boolean fits(List<Pattern> patterns, RepoFile file) {
        return patterns.stream().anyMatch(p -> p.matcher(file.path()).matches());
    }

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException if it is none
     */
    static Pattern glob(String glob) {
        String pattern = glob.endsWith("/") ? glob + "*" : glob;
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            int end = c == '[' ? pattern.indexOf(']', i + 2) : -1;
            if (c == '*') {
                // Not two in a row: that would try every way to divide a name between them.
                if (!regex.toString().endsWith(".*")) {
                    regex.append(".*");
                }
            } else if (c == '?') {
                regex.append('.');
            } else if (end > 0) {
                String set = pattern.substring(i + 1, end).replaceAll("([\\\\\\[\\]&^])", "\\\\$1");
                regex.append('[')
                        .append(set.startsWith("!") ? "^" + set.substring(1) : set)
                        .append(']');
                i = end;
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        try {
            return Pattern.compile(regex.toString(), Pattern.DOTALL);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "'%s' is no pattern for files: %s", glob, e.getDescription()), e);
        }
    }
}
