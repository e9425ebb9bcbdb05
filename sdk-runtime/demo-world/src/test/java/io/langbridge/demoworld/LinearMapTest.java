package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LinearMapTest {
    private static final double[] SAME = {1, 1, 1, 1};
    private static final double[][] SQUARE = {{1, 1}, {-1, 1}, {-1, -1}, {1, -1}};

    @Test
    void leastSquaresFindsTheLineThroughItsPoints() {
        double[][] from = {{0}, {2}, {4}};
        double[][] to = {{5, 1}, {9, 1}, {100, 7}};
        LinearMap line = LinearMap.leastSquares(from, to, new double[] {1, 1, 0}, 0, true); // the last does not count
        assertArrayEquals(new double[] {2, 0}, line.matrix()[0], 1e-12);
        assertArrayEquals(new double[] {5, 1}, line.offset(), 1e-12);
        assertArrayEquals(new double[] {11, 1}, line.of(new double[] {3}), 1e-12);
        assertEquals(1, line.explained(from, to, new double[] {1, 1, 0}), 1e-12);
    }

    @Test
    void thePseudoInverseGoesThroughTheOrigin() {
        LinearMap line = LinearMap.leastSquares(
                new double[][] {{0}, {2}}, new double[][] {{5}, {9}}, new double[] {1, 1}, 0, false);
        assertEquals(4.5, line.matrix()[0][0], 1e-12); // 2 * 9 / (2 * 2)
        assertEquals(0, line.offset()[0]);
    }

    @Test
    void aRidgeAsLargeAsTheVarianceHalvesTheSlope() {
        LinearMap line = LinearMap.leastSquares(
                new double[][] {{-1}, {1}}, new double[][] {{-2}, {2}}, new double[] {1, 1}, 1, true);
        assertEquals(1, line.matrix()[0][0], 1e-12);
        assertEquals(0.75, line.explained(new double[][] {{-1}, {1}}, new double[][] {{-2}, {2}}, new double[] {1, 1}));
    }

    @Test
    void aDirectionThatNeverOccursIsLeftOut() {
        LinearMap map = LinearMap.leastSquares(
                new double[][] {{1, 0}, {3, 0}}, new double[][] {{2}, {6}}, new double[] {1, 1}, 0, true);
        assertArrayEquals(new double[] {4}, map.of(new double[] {2, 50}), 1e-12);
    }

    @Test
    void procrustesFindsATurnAFactorAndAShift() {
        double[][] to = new double[SQUARE.length][];
        for (int i = 0; i < to.length; i++) {
            to[i] = new double[] {1 - 3 * SQUARE[i][1], 2 + 3 * SQUARE[i][0], 7};
        }
        LinearMap map = LinearMap.procrustes(SQUARE, to, SAME);
        assertArrayEquals(new double[] {1 - 3 * 4, 2 + 3 * 5, 7}, map.of(new double[] {5, 4}), 1e-9);
        // Angles stay: what is stretched in one direction is met in the middle.
        double[][] stretched = new double[SQUARE.length][];
        for (int i = 0; i < to.length; i++) {
            stretched[i] = new double[] {3 * SQUARE[i][0], SQUARE[i][1]};
        }
        assertArrayEquals(
                new double[] {2, 2},
                LinearMap.procrustes(SQUARE, stretched, SAME).of(new double[] {1, 1}),
                1e-9);
    }

    @Test
    void aLowRankKeepsWhatVariesMost() {
        LinearMap map = new LinearMap(new double[][] {{3, 0}, {0, 1}}, new double[] {10, 20});
        LinearMap first = map.ofRank(1, SQUARE, SAME);
        assertArrayEquals(new double[] {13, 20}, first.of(new double[] {1, 1}), 1e-9);
        assertArrayEquals(new double[] {13, 21}, map.ofRank(2, SQUARE, SAME).of(new double[] {1, 1}), 1e-9);
    }

    @Test
    void nothingIsTheMean() {
        LinearMap nothing = LinearMap.nothing(3, SQUARE, new double[] {1, 1, 0, 0});
        assertArrayEquals(new double[] {0, 1}, nothing.of(new double[] {9, 9, 9}));
        assertArrayEquals(new double[] {0, 2}, nothing.times(2).of(new double[] {9, 9, 9}));
    }

    @Test
    void eigenvaluesOfASymmetricMatrix() {
        Symmetric found = Symmetric.of(new double[][] {{2, 1, 0}, {1, 2, 0}, {0, 0, 0}});
        assertArrayEquals(new double[] {3, 1, 0}, found.values(), 1e-12);
        assertEquals(found.vectors()[0][0], found.vectors()[0][1], 1e-12);
        assertEquals(found.vectors()[1][0], -found.vectors()[1][1], 1e-12);
        assertArrayEquals(new double[] {2. / 3, -1. / 3, 0}, found.with(value -> 1 / value)[0], 1e-12);
    }
}
