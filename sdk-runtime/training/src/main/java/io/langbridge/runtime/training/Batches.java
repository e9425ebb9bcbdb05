package io.langbridge.runtime.training;

import io.langbridge.Image;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.PyTorchTraining.Batch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts records into batches. Not thread-safe. */
final class Batches {
    /** Null without an encoder. */
    private final @Nullable ImagePreprocessor preprocessor;

    private final Reader reader;
    private final int patches;
    /** Null if the encoder is trained, so that batches bring pixels. */
    private final @Nullable Running vision;

    /**
     * A record that can be learnt from.
     *
     * @param sequences none where patches are labelled
     * @param labelled patches {@code tile * patches + patch} with a label, as often as they have one
     * @param labels for each of them its label's number
     * @param tiles of all pictures, {@code [tiles, 3, s, s]} each
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Prepared(List<TokenSequence> sequences, int[] labelled, int[] labels, List<FloatTensor> tiles) {
        int answers() {
            return TokenSequence.answers(sequences) + labels.length;
        }
    }

    /** Says what is to be learnt of a record. */
    interface Reader {
        /**
         * Reads a record.
         *
         * @param layouts of all pictures, in order
         */
        Prepared read(TrainingExample example, List<TokenLayout> layouts, List<FloatTensor> tiles);
    }

    Batches(@Nullable ImagePreprocessor preprocessor, Reader reader, int patches, @Nullable Running vision) {
        this.preprocessor = preprocessor;
        this.reader = reader;
        this.patches = patches;
        this.vision = vision;
    }

    /**
     * Reads a record's pictures and tokenizes it.
     *
     * @throws TrainingDataException if there is nothing to learn from it
     * @throws io.langbridge.ImageException if a picture cannot be read
     * @throws io.langbridge.PromptException if the chat template refuses it
     */
    Prepared prepare(TrainingExample example) {
        List<TokenLayout> layouts = new ArrayList<>();
        List<FloatTensor> tiles = new ArrayList<>();
        for (Image image : example.images()) {
            if (preprocessor == null) {
                throw new TrainingDataException(
                        "Record " + example.name() + " has a picture, but this training is one on text alone");
            }
            PreparedImage prepared = preprocessor.prepare(image);
            layouts.add(prepared.plan().layout());
            tiles.add(prepared.pixels());
        }
        return reader.read(example, layouts, tiles);
    }

    /** All sequences of some records, one after the other. */
    Batch of(List<Prepared> records) {
        int positions = 0;
        int visual = 0;
        int answers = 0;
        int sequences = 0;
        int tiles = 0;
        for (Prepared record : records) {
            answers += record.answers();
            for (TokenSequence sequence : record.sequences()) {
                positions += sequence.ids().length;
                visual += sequence.sources().length;
                sequences++;
            }
            for (FloatTensor pixels : record.tiles()) {
                tiles += pixels.size(0);
            }
        }
        Batch batch = new Batch(
                tiles == 0 ? null : pictures(records, tiles),
                new int[visual],
                new int[visual],
                new int[positions],
                new int[sequences],
                new int[answers],
                new int[answers]);
        fill(batch, records, tiles * patches);
        return batch;
    }

    private void fill(Batch batch, List<Prepared> records, int newline) {
        int position = 0;
        int visual = 0;
        int answer = 0;
        int number = 0;
        int firstPatch = 0;
        for (Prepared record : records) {
            for (TokenSequence sequence : record.sequences()) {
                int[] ids = sequence.ids();
                int picture = 0;
                for (int i = 0; i < ids.length; i++, position++) {
                    if (ids[i] == TokenSequence.VISUAL) {
                        int source = sequence.sources()[picture++];
                        batch.sources()[visual] = source == TokenLayout.NEWLINE ? newline : firstPatch + source;
                        batch.places()[visual++] = position;
                    } else {
                        batch.ids()[position] = ids[i];
                    }
                    if (i > 0 && sequence.learnt()[i]) {
                        batch.answers()[answer] = position - 1;
                        batch.labels()[answer++] = ids[i];
                    }
                }
                batch.lengths()[number++] = ids.length;
            }
            for (int i = 0; i < record.labels().length; i++) {
                batch.answers()[answer] = firstPatch + record.labelled()[i];
                batch.labels()[answer++] = record.labels()[i];
            }
            for (FloatTensor pixels : record.tiles()) {
                firstPatch += pixels.size(0) * patches;
            }
        }
    }

    private FloatTensor pictures(List<Prepared> records, int tiles) {
        FloatTensor first = records.stream()
                .flatMap(record -> record.tiles().stream())
                .findFirst()
                .orElseThrow();
        FloatTensor all = FloatTensor.allocate(tiles, first.size(1), first.size(2), first.size(3));
        int at = 0;
        for (Prepared record : records) {
            for (FloatTensor pixels : record.tiles()) {
                all.rows(at, at + pixels.size(0)).data().put(pixels.data());
                at += pixels.size(0);
            }
        }
        return vision == null ? all : vision.run(Map.of(Net.PIXEL_VALUES, all));
    }
}
