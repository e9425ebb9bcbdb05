package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds the shared vocabulary, and its matrix, beside a LangBridge adapter. */
final class SharedVocabularyFiles {
    private static final String USUAL_NAME = "vocabulary.json";

    /** Files that other programs put into such a folder. */
    private static final Set<String> OTHERS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            "added_tokens.json",
            "all_results.json",
            "chat_template.json",
            "config.json",
            "generation_config.json",
            "preprocessor_config.json",
            "processor_config.json",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "train_results.json",
            "trainer_state.json",
            "vocab.json")));

    private SharedVocabularyFiles() {}

    /**
     * {@code vocabulary.json}, or the only other JSON file that maps as many tokens to numbers as the projector has
     * columns.
     */
    static @Nullable Path vocabulary(Path folder, int mmVocabSize) {
        Path usual = folder.resolve(USUAL_NAME);
        if (Files.exists(usual)) {
            requireSize(usual, mmVocabSize);
            return usual;
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.json")) {
            for (Path file : files) {
                String name = String.valueOf(file.getFileName());
                if (!OTHERS.contains(name) && !name.endsWith(".index.json") && isVocabulary(file, mmVocabSize)) {
                    found.add(file);
                }
            }
        } catch (IOException e) {
            throw new CheckpointException("The folder " + folder + " cannot be listed: " + Reason.of(e) + ".", e);
        }
        if (found.size() > 1) {
            Collections.sort(found);
            throw new CheckpointException("The folder " + folder + " holds " + found.size()
                    + " files that could be the shared"
                    + " vocabulary: " + found + ". Name the right one " + USUAL_NAME + ".");
        }
        return found.isEmpty() ? null : found.get(0);
    }

    static void requireSize(Path file, int mmVocabSize) {
        int size = SharedVocabulary.read(file).size();
        if (size != mmVocabSize) {
            throw new CheckpointException("The shared vocabulary " + file + " has " + size
                    + " tokens, but the adapter has "
                    + mmVocabSize + " columns (mm_vocab_size); they belong to different adapters.");
        }
    }

    private static boolean isVocabulary(Path file, int mmVocabSize) {
        try {
            return SharedVocabulary.read(file).size() == mmVocabSize;
        } catch (CheckpointException e) {
            return false; // somebody else's file
        }
    }

    /**
     * The matrix that {@code mm_vocab_matrix} names. Published configurations name a place on the authors' machine, so
     * only the file name counts if it does not lie in the folder.
     */
    static @Nullable StoredTensor matrix(Json config, Path folder, int mmVocabSize, Closing closing) {
        String name = config.string("mm_vocab_matrix");
        Path file = name == null ? null : Folders.inside(folder, name);
        if (file == null || !Files.isRegularFile(file)) {
            return null;
        }
        Weights weights = closing.add(Checkpoints.open(file));
        if (weights.names().size() != 1) {
            throw new CheckpointException("The vocabulary matrix " + file + " should hold one tensor, but holds "
                    + weights.names().size() + ".");
        }
        StoredTensor matrix = weights.get(weights.names().iterator().next());
        matrix.requireFloatingPoint();
        long[] shape = matrix.shape();
        if (shape.length != 2 || shape[0] != mmVocabSize) {
            throw new CheckpointException("The vocabulary matrix " + file + " has shape " + Arrays.toString(shape)
                    + ", but " + config.at("mm_vocab_size") + " asks for " + mmVocabSize + " rows.");
        }
        return matrix;
    }
}
