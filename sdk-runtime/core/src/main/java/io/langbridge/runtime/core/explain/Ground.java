package io.langbridge.runtime.core.explain;

import io.langbridge.Image;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * What an encoder sees where nothing is: the patches of pictures of one colour, their mean and how far they lie around
 * it. Their places in the picture and their colours make them differ, so a patch that lies hardly farther out than they
 * do shows nothing. An encoder to which a picture full of colours looks like that too cannot tell, and then nothing is
 * empty. Immutable.
 */
final class Ground {
    /** Patterns and gradients lie up to twice as far out as plain colours do, things farther. */
    private static final double SPREADS = 2;

    /** Of the patches of a picture full of colours, how many may look empty. */
    private static final double MOST_MISTAKEN = 0.1;

    private static final int[] BLANKS = {0xffffffff, 0xff808080, 0xff000000};
    private static final int CELLS = 16;
    private static final int CELL = 4;
    private static final int SIDE = CELLS * CELL;

    private final double[] mean;
    /** Of the distance from the mean; negative if nothing is empty. */
    private final double farthestSquared;

    private Ground(double[] mean, double farthestSquared) {
        this.mean = mean;
        this.farthestSquared = farthestSquared;
    }

    /**
     * Looks at four small pictures with an encoder.
     *
     * @param encoder gives features {@code [tiles, patches, mm_hidden]}
     * @param classTokens how many of a tile's features come first and are no patch
     */
    static Ground of(Function<Image, FloatTensor> encoder, int classTokens) {
        List<float[]> blank = new ArrayList<>();
        int[] pixels = new int[SIDE * SIDE];
        for (int colour : BLANKS) {
            Arrays.fill(pixels, colour);
            blank.addAll(patches(encoder.apply(Image.ofArgb(pixels, SIDE, SIDE)), classTokens));
        }
        double[] mean = new double[blank.get(0).length];
        for (float[] patch : blank) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += patch[i] / (double) blank.size();
            }
        }
        double spreadSquared = 0;
        for (float[] patch : blank) {
            spreadSquared += distanceSquared(patch, mean) / blank.size();
        }
        Ground ground = new Ground(mean, SPREADS * SPREADS * spreadSquared);

        int[] colours = new Random(1).ints(CELLS * CELLS).toArray();
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 0xff000000 | colours[i / SIDE / CELL * CELLS + i % SIDE / CELL];
        }
        List<float[]> full = patches(encoder.apply(Image.ofArgb(pixels, SIDE, SIDE)), classTokens);
        long mistaken = full.stream().filter(ground::is).count();
        return mistaken <= MOST_MISTAKEN * full.size() ? ground : new Ground(mean, -1);
    }

    private static List<float[]> patches(FloatTensor features, int classTokens) {
        List<float[]> patches = new ArrayList<>();
        FloatBuffer rows = features.data();
        for (int i = 0; rows.hasRemaining(); i++) {
            float[] row = new float[features.size(2)];
            rows.get(row);
            if (i % features.size(1) >= classTokens) {
                patches.add(row);
            }
        }
        return patches;
    }

    private static double distanceSquared(float[] patch, double[] mean) {
        double sum = 0;
        for (int i = 0; i < mean.length; i++) {
            double apart = patch[i] - mean[i];
            sum += apart * apart;
        }
        return sum;
    }

    /** Whether a patch with these features shows nothing. */
    boolean is(float[] features) {
        return distanceSquared(features, mean) <= farthestSquared;
    }
}
