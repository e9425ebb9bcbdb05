package io.langbridge.runtime.core.image;

import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.RgbPixels;
import io.langbridge.spi.RowSink;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns pictures into the views a vision encoder was trained on, as a {@link PicturePlan} says: resize, cut, scale,
 * normalise, with the rounding of the reference. Immutable and safe for use by several threads.
 */
public final class ImagePreprocessor {
    private static final byte[] BLACK = new byte[3];

    private final Pictures pictures;

    /** Prepares pictures for one model. */
    public ImagePreprocessor(Pictures pictures) {
        this.pictures = pictures;
    }

    /** What becomes of a picture of this size. */
    public PicturePlan plan(Size picture) {
        return pictures.plan(picture);
    }

    /**
     * Makes the views while the picture is decoded, so that a large one needs little memory.
     *
     * @throws ImageException if the picture cannot be decoded
     */
    public PreparedImage prepare(Image image) {
        Resizing resizing = new Resizing();
        image.rows(resizing);
        return resizing.prepared();
    }

    /** Makes the views and what is needed to put their features together again. */
    public PreparedImage prepare(RgbPixels picture) {
        return resized(picture).prepared();
    }

    /** The views as bytes, before scaling and normalising, in the order of the plan. */
    public List<RgbPixels> tiles(RgbPixels picture) {
        Resizing resizing = resized(picture);
        return resizing.views(resizing.begun());
    }

    private Resizing resized(RgbPixels picture) {
        Resizing resizing = new Resizing();
        resizing.begin(picture.width(), picture.height(), 1);
        eachRow(picture, (y, row) -> resizing.row(y, row, 0));
        return resizing;
    }

    private interface Row {
        void take(int y, byte[] rgb);
    }

    private static void eachRow(RgbPixels picture, Row taker) {
        byte[] row = new byte[3 * picture.width()];
        for (int y = 0; y < picture.height(); y++) {
            picture.copyRow(y, 0, picture.width(), row, 0);
            taker.take(y, row);
        }
    }

    /** Resizes a picture to all the sizes that are needed, row by row. */
    private final class Resizing implements RowSink {
        private final List<Resampler> resamplers = new ArrayList<>();
        private @Nullable PicturePlan plan;

        @Override
        public void begin(int width, int height, int orientation) {
            PicturePlan made = pictures.plan(orientation >= 5 ? new Size(height, width) : new Size(width, height));
            plan = made;
            for (PicturePlan.Resizing resizing : made.resizings()) {
                boolean first = resizing.of() == PicturePlan.PICTURE;
                resamplers.add(new Resampler(resizing.job(), first ? orientation : 1));
            }
        }

        @Override
        public void row(int y, byte[] rgb, int offset) {
            feed(PicturePlan.PICTURE, y, rgb, offset);
        }

        private void feed(int of, int y, byte[] rgb, int offset) {
            for (int i = 0; i < resamplers.size(); i++) {
                if (begun().resizings().get(i).of() == of) {
                    resamplers.get(i).row(y, rgb, offset);
                }
            }
        }

        List<RgbPixels> views(PicturePlan made) {
            List<RgbPixels> resized = new ArrayList<>();
            for (int i = 0; i < resamplers.size(); i++) {
                RgbPixels result = resamplers.get(i).result();
                resized.add(result);
                int of = i;
                if (made.resizings().stream().anyMatch(next -> next.of() == of)) {
                    eachRow(result, (y, row) -> feed(of, y, row, 0));
                }
            }
            List<RgbPixels> views = new ArrayList<>();
            for (PicturePlan.View view : made.views()) {
                RgbPixels shown = resized.get(view.resizing());
                Size size = view.size();
                boolean whole = shown.width() == size.width() && shown.height() == size.height();
                views.add(
                        whole && view.left() == 0 && view.top() == 0
                                ? shown
                                : new Canvas(shown, size.width(), size.height(), view.left(), view.top(), BLACK)
                                        .toPixels());
            }
            return views;
        }

        PreparedImage prepared() {
            List<RgbPixels> views = views(begun());
            Patches patches = pictures.patches();
            if (patches == null) {
                return PreparedImage.alike(Collections.singletonMap(Net.PIXEL_VALUES, normalise(views)), begun());
            }
            List<Map<String, FloatTensor>> each = new ArrayList<>();
            for (RgbPixels view : views) {
                Map<String, FloatTensor> inputs = new LinkedHashMap<>();
                inputs.put(Net.PIXEL_VALUES, patches.values(view, pictures.normaliser()));
                inputs.putAll(pictures.inputs(new Size(view.width(), view.height())));
                each.add(inputs);
            }
            return new PreparedImage(each, begun());
        }

        PicturePlan begun() {
            if (plan == null) {
                throw new IllegalStateException("The picture has not begun");
            }
            return plan;
        }
    }

    private FloatTensor normalise(List<RgbPixels> views) {
        int width = views.get(0).width();
        int height = views.get(0).height();
        FloatTensor pixels = FloatTensor.allocate(views.size(), 3, height, width);
        FloatBuffer target = pixels.data();
        byte[] row = new byte[3 * width];
        float[] values = new float[width];
        for (RgbPixels view : views) {
            for (int channel = 0; channel < 3; channel++) {
                float[] table = pictures.normaliser().table(channel);
                for (int y = 0; y < height; y++) {
                    view.copyRow(y, 0, width, row, 0);
                    for (int x = 0; x < width; x++) {
                        values[x] = table[row[3 * x + channel] & 0xff];
                    }
                    target.put(values);
                }
            }
        }
        return pixels;
    }
}
