package io.langbridge.runtime.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.family.TileGrid;
import io.langbridge.runtime.core.family.Tiling.Convention;
import io.langbridge.runtime.core.family.Tiling.Merge;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class TileMergeTest {
    private static final float[] NEWLINE = {-1};

    @Test
    void tilesBecomeOneGridWithANewlineAfterEveryRow() {
        TileGrid grid = new TileGrid(new Size(20, 10), 2, 1, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThat(TileMerge.merge(numbered(3, 4), NEWLINE, plan(grid, 4)).toArray())
                .containsExactly(0, 1, 2, 3, 4, 5, 8, 9, -1, 6, 7, 10, 11, -1);
    }

    @Test
    void aLargeGridIsShrunkToAsManyTilesAsAreAllowed() {
        // 4 x 4 patches of four tiles, to the size of one: each is the mean of four.
        TileGrid grid = new TileGrid(new Size(20, 20), 2, 2, Convention.HF, Merge.SPATIAL_UNPAD, 1);
        assertThat(TileMerge.merge(numbered(5, 4), NEWLINE, plan(grid, 4)).toArray())
                .containsExactly(0, 1, 2, 3, 5.5f, 9.5f, -1, 13.5f, 17.5f, -1);
        TokenLayout layout = grid.layout(4);
        assertThat(layout.mixes()).isTrue();
        assertThat(layout.parts(4)).isEqualTo(4);
        assertThat(layout.source(4)).isEqualTo(4);
        assertThat(layout.parts(6)).isEqualTo(1);
        assertThat(layout.source(6, 0)).isEqualTo(TokenLayout.NEWLINE);
    }

    @Test
    void betweenTwoPatchesTheNearerOneHasTheLargerShare() {
        // 1 x 6 patches to 1 x 4: middles at 0.25, 1.75, 3.25 and 4.75.
        TileGrid grid = new TileGrid(new Size(60, 10), 6, 1, Convention.HF, Merge.SPATIAL_UNPAD, 3);
        assertThat(TileMerge.merge(numbered(7, 1), NEWLINE, plan(grid, 1)).toArray())
                .containsExactly(0, 1.25f, 2.75f, 4.25f, 5.75f, -1);
        // As many as are allowed.
        TileGrid small = new TileGrid(new Size(30, 10), 3, 1, Convention.HF, Merge.SPATIAL_UNPAD, 3);
        assertThat(small.layout(1).mixes()).isFalse();
    }

    @Test
    void rowsOfPaddingAreLeftOut() {
        // A picture four times as wide as high in a grid of 4 x 4 patches shows in one row; centred, two stay.
        TileGrid grid = new TileGrid(new Size(40, 10), 2, 2, Convention.LLAVA, Merge.SPATIAL_UNPAD);
        assertThat(grid.keptRows(2)).isEqualTo(new TileGrid.Range(1, 3));
        assertThat(grid.keptColumns(2)).isEqualTo(new TileGrid.Range(0, 4));
        assertThat(TileMerge.merge(numbered(5, 4), NEWLINE, plan(grid, 4)).toArray())
                .containsExactly(0, 1, 2, 3, 6, 7, 10, 11, -1, 12, 13, 16, 17, -1);
    }

    @Test
    void columnsOfPaddingAreLeftOut() {
        TileGrid grid = new TileGrid(new Size(10, 20), 2, 2, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThat(grid.keptRows(2)).isEqualTo(new TileGrid.Range(0, 4));
        assertThat(grid.keptColumns(2)).isEqualTo(new TileGrid.Range(1, 3));
    }

    @Test
    void ofAVeryThinPictureOnlyTheNewlinesAreLeft() {
        TileGrid grid = new TileGrid(new Size(1, 1000), 1, 2, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThat(grid.keptColumns(2).size()).isZero();
        assertThat(TileMerge.merge(numbered(3, 4), NEWLINE, plan(grid, 4)).toArray())
                .containsExactly(0, 1, 2, 3, -1, -1, -1, -1);
        assertThat(grid.layout(4).tokens()).isEqualTo(8);
    }

    @Test
    void theConventionsDifferWhereAProductIsAlmostWhole() {
        // 47 * (12 / 188.0) is a little less than 3, because 12 / 188 is not exact.
        assertThat(47 * (12 / 188.0)).isLessThan(3);
        TileGrid hf = new TileGrid(new Size(188, 47), 3, 1, Convention.HF, Merge.SPATIAL_UNPAD);
        TileGrid llava = new TileGrid(new Size(188, 47), 3, 1, Convention.LLAVA, Merge.SPATIAL_UNPAD);
        assertThat(hf.keptRows(4)).isEqualTo(new TileGrid.Range(0, 4));
        assertThat(llava.keptRows(4)).isEqualTo(new TileGrid.Range(1, 3));
    }

    @Test
    void spatialKeepsThePaddingAndHasNoNewlines() {
        TileGrid grid = new TileGrid(new Size(40, 10), 1, 2, Convention.LLAVA, Merge.SPATIAL);
        TileGrid wide = new TileGrid(new Size(40, 10), 2, 1, Convention.LLAVA, Merge.SPATIAL);
        assertThat(TileMerge.merge(numbered(3, 4), null, plan(grid, 4)).toArray())
                .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        assertThat(TileMerge.merge(numbered(3, 4), null, plan(wide, 4)).toArray())
                .containsExactly(0, 1, 2, 3, 4, 5, 8, 9, 6, 7, 10, 11);
    }

    @Test
    void flatKeepsTileAfterTile() {
        TileGrid grid = new TileGrid(new Size(40, 10), 2, 1, Convention.LLAVA, Merge.FLAT);
        FloatTensor merged = TileMerge.merge(numbered(3, 5), null, plan(grid, 5));
        assertThat(merged.shape()).containsExactly(15, 1);
        assertThat(merged.toArray()).isEqualTo(numbered(3, 5).toArray());
    }

    @Test
    void aSinglePictureHasNoNewlineUnlessItIsUnpadded() {
        assertThat(TileMerge.merge(numbered(1, 4), null, plan(TileGrid.whole(new Size(3, 9)), 4))
                        .toArray())
                .containsExactly(0, 1, 2, 3);
        TileGrid single = new TileGrid(new Size(3, 9), 0, 0, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThat(TileMerge.merge(numbered(1, 4), NEWLINE, plan(single, 4)).toArray())
                .containsExactly(0, 1, 2, 3, -1);
    }

    @Test
    void aMissingOrForeignNewlineIsRefused() {
        TileGrid grid = new TileGrid(new Size(20, 10), 2, 1, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> TileMerge.merge(numbered(3, 4), null, plan(grid, 4)))
                .withMessageContaining("image_newline");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> TileMerge.merge(numbered(3, 4), new float[7], plan(grid, 4)))
                .withMessageContaining("7 values")
                .withMessageContaining("have 1");
    }

    @Test
    void patchesThatAreNoSquareCannotFormAGrid() {
        TileGrid grid = new TileGrid(new Size(20, 10), 2, 1, Convention.HF, Merge.SPATIAL_UNPAD);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> grid.layout(5))
                .withMessageContaining("5 visual tokens")
                .withMessageContaining("cls_patch");
    }

    @Test
    void featuresOfAnotherNumberOfTilesAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TileMerge.merge(numbered(2, 4), null, plan(TileGrid.whole(new Size(3, 9)), 4)))
                .withMessageContaining("[2, 4, 1]");
    }

    private static PicturePlan plan(TileGrid grid, int patches) {
        PicturePlan.View view = new PicturePlan.View(0, grid.picture(), 0, 0, 0, 0);
        return new PicturePlan(
                grid.picture(), Collections.emptyList(), Collections.nCopies(grid.tiles(), view), grid.layout(patches));
    }

    /** {@code [tiles, patches, 1]}, every value its own position. */
    private static FloatTensor numbered(int tiles, int patches) {
        float[] values = new float[tiles * patches];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return FloatTensor.of(values, tiles, patches, 1);
    }
}
