package io.langbridge.contract;

import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.family.LlavaPictures;
import io.langbridge.runtime.core.family.PreprocessorConfig;
import io.langbridge.runtime.core.family.PreprocessorConfigReader;
import io.langbridge.runtime.core.family.TileGrid;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TileMerge;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.RgbPixels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** From RGB pictures to tiles, and from tiles to the order of their visual tokens. */
final class PreprocessingCases {
    private static final double JPEG_MEAN = 1.0;

    private PreprocessingCases() {}

    static void check(Check check) {
        Entry json = check.json();
        if (json.has("preprocessor_config")) {
            checkOneTile(check);
        } else if (json.has("image_grid_pinpoints") && json.has("images")) {
            checkTiles(check);
        } else if (json.has("image_grid_pinpoints") && json.has("cases")) {
            checkMerge(check);
        } else if (json.has("pinpoints") && json.has("cases")) {
            checkTable(check);
        } else {
            throw new AssertionError("An unknown kind of preprocessing case with the keys " + json.keys());
        }
    }

    private static void checkOneTile(Check check) {
        Entry json = check.json();
        json.describe("images");
        int size = 0;
        for (String name : check.tensorNames()) {
            size = check.tensor(name).size(-1);
        }
        PreprocessorConfig config = config(json.get("preprocessor_config").toString(), size);
        // Only one of the padded cases states the colour.
        boolean pads = json.has("background") || json.text("what").contains("'pad'");
        Tiling tiling = pads ? new Tiling.Pad() : new Tiling.Plain();
        if (json.has("background")) {
            List<Double> mean = Optional.ofNullable(config.imageMean()).orElseThrow();
            int[] colour = mean.stream().mapToInt(value -> (int) (value * 255)).toArray();
            check.same("background", colour, json.integers("background"));
        }
        checkPictures(check, new LlavaPictures(config, tiling, size, 1), size, "");
    }

    private static void checkTiles(Check check) {
        Entry json = check.json();
        int tile = json.integer("tile");
        Entry images = json.object("images");
        for (Tiling.Convention convention : Tiling.Convention.values()) {
            String key = convention.name().toLowerCase(Locale.ROOT);
            LlavaPictures preprocessor = anyResolution(json.integerLists("image_grid_pinpoints"), convention, tile, 1);
            for (String picture : images.keys()) {
                Entry image = images.object(picture);
                image.describe("hf", "llava", "picture_wh");
                checkGrid(check, preprocessor, image.integers("picture_wh"), image.object(key), tile);
            }
            checkPictures(check, preprocessor, tile, "/" + key);
        }
    }

    private static TileGrid checkGrid(Check check, LlavaPictures pictures, int[] picture, Entry expected, int tile) {
        TileGrid grid = pictures.grid(new Size(picture[0], picture[1]));
        String what = expected.where() + " of " + Arrays.toString(picture);
        int[] tiles = {grid.tilesAcross(), grid.tilesDown()};
        if (expected.has("tiles_wh")) {
            check.same("tiles, " + what, tiles, expected.integers("tiles_wh"));
        }
        int[] resolution = {tiles[0] * tile, tiles[1] * tile};
        check.same("resolution, " + what, resolution, expected.integers("resolution_wh"));
        return grid;
    }

    /** Tensors {@code <picture><suffix>/bytes} and {@code /pixel_values}. */
    private static void checkPictures(Check check, Pictures way, int size, String suffix) {
        ImagePreprocessor preprocessor = new ImagePreprocessor(way);
        ReferencePictures pictures = new ReferencePictures(check.fixtures());
        Set<String> names = new TreeSet<>();
        for (String tensor : check.tensorNames()) {
            String owner = tensor.substring(0, tensor.lastIndexOf('/'));
            if (owner.endsWith(suffix)) {
                names.add(owner.substring(0, owner.length() - suffix.length()));
            }
        }
        for (String name : names) {
            String bytes = name + suffix + "/bytes";
            String values = name + suffix + "/pixel_values";
            if (!pictures.has(name)) {
                check.leaveOut(name + " is not there");
                check.describeTensor(bytes);
                check.describeTensor(values);
                continue;
            }
            float[] expected = check.floats(bytes);
            Optional<RgbPixels> exact = pictures.exactPixels(name);
            if (exact.isPresent()) {
                check.same(bytes, planes(preprocessor.tiles(exact.get())), expected);
            }
            if (ReferencePictures.isJpeg(name)) {
                float[] decoded = planes(preprocessor.tiles(pictures.decoded(name)));
                double mean = ReferencePictures.differences(decoded, expected)[0];
                check.holds(bytes + " from the JPEG file differs by " + mean, mean <= JPEG_MEAN);
            }
            if (check.hasTensor(values) && exact.isPresent()) {
                FloatTensor pixels = preprocessor.prepare(exact.get()).pixels();
                check.close(values, pixels.toArray(), check.floats(values), check.tolerance(values));
            } else if (check.hasTensor(values)) {
                // The pixels are not known, but the bytes are: a picture of the tile's size only gets normalised.
                float[] pixels =
                        preprocessor.prepare(picture(expected, size)).pixels().toArray();
                check.close(values, pixels, check.floats(values), check.tolerance(values));
            }
        }
    }

    private static void checkTable(Check check) {
        Entry pinpoints = check.json().object("pinpoints");
        for (Entry row : check.json().objects("cases")) {
            int tile = row.integer("tile");
            int side = tile / row.integer("patch");
            int[] picture = row.integers("picture_wh");
            for (Tiling.Convention convention : Tiling.Convention.values()) {
                Entry expected = row.object(convention.name().toLowerCase(Locale.ROOT));
                LlavaPictures preprocessor =
                        anyResolution(pinpoints.integerLists(String.valueOf(tile)), convention, tile, side * side);
                TileGrid grid = checkGrid(check, preprocessor, picture, expected, tile);
                checkKept(check, grid, side, expected, expected.integer("visual_tokens"));
                int[] resolution = expected.integers("resolution_wh");
                Size resized =
                        LlavaPictures.fitted(new Size(picture[0], picture[1]), new Size(resolution[0], resolution[1]));
                int[] actual = {resized.width(), resized.height()};
                check.same("resized size, " + expected.where(), actual, expected.integers("resized_wh"));
                int[] offset = {(resolution[0] - resized.width()) / 2, (resolution[1] - resized.height()) / 2};
                check.same("offset, " + expected.where(), offset, expected.integers("offset_xy"));
            }
        }
    }

    private static void checkKept(Check check, TileGrid grid, int side, Entry expected, int tokens) {
        TileGrid.Range rows = grid.keptRows(side);
        TileGrid.Range columns = grid.keptColumns(side);
        check.same("rows, " + expected.where(), new int[] {rows.from(), rows.to()}, expected.integers("kept_rows"));
        check.same(
                "columns, " + expected.where(),
                new int[] {columns.from(), columns.to()},
                expected.integers("kept_cols"));
        check.same(
                "visual tokens, " + expected.where(), grid.layout(side * side).tokens(), tokens);
    }

    private static void checkMerge(Check check) {
        Entry json = check.json();
        int tile = json.integer("tile");
        int side = tile / json.integer("patch");
        List<int[]> pinpoints = json.integerLists("image_grid_pinpoints");
        float[] newline = check.floats("image_newline");
        for (Entry row : json.objects("cases")) {
            int[] picture = row.integers("picture_wh");
            String convention = row.text("convention");
            Tiling.Convention rounding = Tiling.Convention.valueOf(convention.toUpperCase(Locale.ROOT));
            LlavaPictures preprocessor = anyResolution(pinpoints, rounding, tile, side * side);
            TileGrid grid = checkGrid(check, preprocessor, picture, row, tile);
            checkKept(check, grid, side, row, row.integer("tokens"));
            String name = picture[0] + "x" + picture[1] + "/" + convention;
            check.close(
                    name + "/merged",
                    TileMerge.merge(check.tensor(name + "/features"), newline, preprocessor.plan(grid.picture())));
        }
        if (check.hasTensor("single/features")) {
            TileGrid single =
                    new TileGrid(new Size(tile, tile), 0, 0, Tiling.Convention.HF, Tiling.Merge.SPATIAL_UNPAD);
            FloatTensor features = check.tensor("single/features");
            PicturePlan.View view = new PicturePlan.View(0, single.picture(), 0, 0, 0, 0);
            PicturePlan plan =
                    new PicturePlan(single.picture(), List.of(), List.of(view), single.layout(features.size(1)));
            check.close("single/merged", TileMerge.merge(features, newline, plan));
        }
    }

    private static LlavaPictures anyResolution(
            List<int[]> pinpoints, Tiling.Convention convention, int tile, int patches) {
        List<Size> resolutions = new ArrayList<>();
        for (int[] pair : pinpoints) {
            resolutions.add(
                    convention == Tiling.Convention.HF ? new Size(pair[1], pair[0]) : new Size(pair[0], pair[1]));
        }
        // The dynamic resolution cases were made with CLIP's defaults.
        PreprocessorConfig config = config("{}", tile);
        return new LlavaPictures(
                config, new Tiling.AnyResolution(resolutions, convention, Tiling.Merge.SPATIAL_UNPAD), tile, patches);
    }

    private static PreprocessorConfig config(String json, int size) {
        byte[] utf8 = json.getBytes(StandardCharsets.UTF_8);
        return PreprocessorConfigReader.read(Json.parse(utf8, "preprocessor_config"), VisionConfig.Kind.CLIP, size);
    }

    /** Bytes of tiles, {@code [tiles, 3, height, width]}. */
    private static float[] planes(List<RgbPixels> tiles) {
        int pixels = tiles.get(0).width() * tiles.get(0).height();
        float[] planes = new float[tiles.size() * 3 * pixels];
        for (int tile = 0; tile < tiles.size(); tile++) {
            float[] values = ReferencePictures.values(tiles.get(tile));
            for (int i = 0; i < values.length; i++) {
                planes[(tile * 3 + i % 3) * pixels + i / 3] = values[i];
            }
        }
        return planes;
    }

    /** The other way round, for one tile. */
    private static RgbPixels picture(float[] planes, int size) {
        byte[] rgb = new byte[3 * size * size];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (int) planes[i % 3 * size * size + i / 3];
        }
        return RgbPixels.wrap(size, size, rgb);
    }
}
