package io.langbridge.runtime.core.explain;

import io.langbridge.Image;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * What an encoder sees where nothing is: the patches of pictures of one colour, their mean and how far they lie around
 * it. Their places in the picture and their colours make them differ, so a patch that lies hardly farther out than they
 * do shows nothing. An encoder to which a picture of things looks like that too cannot tell, and then nothing is empty.
 * A picture full of colours would not do to find that out: to an encoder that has learnt from textures it is one.
 * Immutable.
 */
final class Ground {
    /** Patterns and gradients lie up to twice as far out as plain colours do, things farther. */
    private static final double SPREADS = 2;

    /** Of the patches of a picture of things, how many must not look empty. */
    private static final double LEAST_SEEN = 0.2;

    private static final int[] BLANKS = {0xffffffff, 0xff808080, 0xff000000};
    private static final int[] COLOURS = {0xe00000, 0x0040e0, 0x008000, 0xffc000, 0x101010};
    private static final int PER_SIDE = 3;
    private static final int CELL = 32;
    private static final int SIDE = PER_SIDE * CELL;
    private static final double RADIUS = 0.38;

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

        List<float[]> things = patches(encoder.apply(Image.ofArgb(things(), SIDE, SIDE)), classTokens);
        long seen = things.stream().filter(patch -> !ground.is(patch)).count();
        return seen >= LEAST_SEEN * things.size() ? ground : new Ground(mean, -1);
    }

    /** Discs and boxes, three by three, in colours that lie far apart; nearly half of the picture. */
    private static int[] things() {
        int[] pixels = new int[SIDE * SIDE];
        Arrays.fill(pixels, 0xffffffff);
        for (int i = 0; i < pixels.length; i++) {
            int column = i % SIDE / CELL;
            int line = i / SIDE;
            int row = line / CELL;
            double across = (i % SIDE + 0.5) / CELL - column - 0.5;
            double down = (line + 0.5) / CELL - row - 0.5;
            int thing = row * PER_SIDE + column;
            boolean on = thing % 2 == 0
                    ? across * across + down * down < RADIUS * RADIUS
                    : Math.max(Math.abs(across), Math.abs(down)) < 0.85 * RADIUS;
            if (on) {
                pixels[i] = 0xff000000 | COLOURS[thing % COLOURS.length];
            }
        }
        return pixels;
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
