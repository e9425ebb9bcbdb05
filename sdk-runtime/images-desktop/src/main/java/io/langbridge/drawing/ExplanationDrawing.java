package io.langbridge.drawing;

import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.spi.RgbPixels;
import java.awt.AlphaComposite;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.geom.Area;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Draws an {@link Explanation}: words on the patches, the heat map of a word, and a page in which both can be explored.
 *
 * <pre>{@code
 * ExplanationDrawing drawing = ExplanationDrawing.of(model.explain(encoded, ExplainOptions.defaults()), image);
 * ImageIO.write(drawing.overlay(), "png", new File("words.png"));
 * Files.writeString(Path.of("words.html"), drawing.page());
 * }</pre>
 *
 * <p>With dynamic resolution the pictures show the patches of the parts, which are the finest; the page shows both
 * these and the patches of the whole picture. Immutable and safe for use by several threads; holds the decoded picture.
 *
 * @since 0.1
 */
public final class ExplanationDrawing {
    /** In which a word of eight letters can be read. */
    private static final int CELL_WIDTH = 72;

    private static final int CELL_HEIGHT = 52;
    private static final int LONGEST_SIDE = 8192;
    private static final int HEAT_SIDE = 1024;
    private static final int LEGEND = 40;
    private static final int MOST_WORDS = 3;
    private static final float LARGEST_FONT = 40;
    private static final float LEAST_FONT = 13;
    private static final float SMALLEST_FONT = 9;
    /** Height of a line by the size of its font. */
    private static final double LINE = 1.2;

    /** Size of the words behind the first. */
    private static final double SMALLER = 0.75;

    private static final Color PADDING = new Color(0x50, 0x54, 0x5C);
    private static final Color VEIL = new Color(255, 255, 255, 196);
    private static final Color EDGE = new Color(0x14, 0x16, 0x1A, 150);
    private static final Color INK = new Color(0x0B, 0x0D, 0x12);
    private static final Color SOFT_INK = new Color(0x33, 0x38, 0x42);
    private static final Color NEGATIVE_INK = new Color(0x0A, 0x3F, 0xA8);
    private static final Color POSITIVE = new Color(0xFF, 0x8A, 0x00);
    private static final Color NEGATIVE = new Color(0x2F, 0x7D, 0xFF);

    private final Explanation explanation;
    private final BufferedImage picture;
    private final List<Layer> layers;

    private ExplanationDrawing(Explanation explanation, BufferedImage picture) {
        this.explanation = explanation;
        this.picture = picture;
        this.layers = Layer.of(explanation);
    }

    /**
     * Puts an explanation beside the picture it explains.
     *
     * @param explanation what to draw
     * @param image the picture that was explained
     * @return the drawing
     * @throws ImageException if the picture cannot be decoded, or has another size than the explained one
     */
    public static ExplanationDrawing of(Explanation explanation, Image image) {
        RgbPixels pixels = image.pixels();
        if (pixels.width() != explanation.width() || pixels.height() != explanation.height()) {
            throw new ImageException(image + " has " + pixels.width() + " x " + pixels.height()
                    + " pixels, but the explained picture has " + explanation.width() + " x " + explanation.height()
                    + "; give the picture that was explained");
        }
        BufferedImage picture = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_INT_RGB);
        byte[] row = new byte[3 * pixels.width()];
        int[] colours = new int[pixels.width()];
        for (int y = 0; y < pixels.height(); y++) {
            pixels.copyRow(y, 0, colours.length, row, 0);
            for (int x = 0; x < colours.length; x++) {
                colours[x] = (row[3 * x] & 0xFF) << 16 | (row[3 * x + 1] & 0xFF) << 8 | row[3 * x + 2] & 0xFF;
            }
            picture.setRGB(0, y, colours.length, 1, colours, 0, colours.length);
        }
        return new ExplanationDrawing(explanation, picture);
    }

    /**
     * The picture with the strongest words of its patches written on it, as many as have room. Patches side by side
     * that have the same strongest word are one field, on which it is written once; where patches have no words, the
     * picture is left as it is. It is scaled up so that words can be read; a very thin picture is stretched.
     *
     * @return RGB, the caller's own
     * @throws LangBridgeException if this JVM has no fonts
     */
    public BufferedImage overlay() {
        Layer layer = layers.get(layers.size() - 1);
        Explanation.Area first =
                explanation.patches().get(layer.patches().get(0)).area();
        View view = View.withCells(layer, first);
        BufferedImage drawn = view.canvas(0);
        Graphics2D graphics = graphics(drawn);
        try {
            view.draw(graphics, picture);
            for (Region region : Region.of(explanation, layer)) {
                Area shape = new Area();
                for (int patch : region.patches()) {
                    Rectangle2D cell =
                            view.place(explanation.patches().get(patch).area());
                    int left = (int) Math.round(cell.getMinX()); // whole pixels, so that no gap is left between cells
                    int top = (int) Math.round(cell.getMinY());
                    int right = (int) Math.round(cell.getMaxX());
                    int bottom = (int) Math.round(cell.getMaxY());
                    shape.add(new Area(new Rectangle(left, top, right - left, bottom - top)));
                }
                graphics.setColor(VEIL); // words must be read at night, too
                graphics.fill(shape);
                graphics.setColor(EDGE);
                graphics.draw(shape);
                words(graphics, region, view.place(region.area()));
            }
        } catch (InternalError | LinkageError e) {
            throw noFonts(e);
        } finally {
            graphics.dispose();
        }
        return drawn;
    }

    /** Writes what has room, strongest first and largest. */
    private static void words(Graphics2D graphics, Region region, Rectangle2D place) {
        int room = (int) (place.getHeight() / (LEAST_FONT + 4));
        int count = Math.max(1, Math.min(Math.min(region.words().size(), MOST_WORDS), room));
        double first = Math.min(LARGEST_FONT, place.getHeight() / LINE / (1 + SMALLER * (count - 1)));
        List<String> lines = new ArrayList<>();
        List<Font> fonts = new ArrayList<>();
        double height = 0;
        for (int rank = 0; rank < count; rank++) {
            double size = Math.max(SMALLEST_FONT, rank == 0 ? first : first * SMALLER);
            Font font = new Font(Font.SANS_SERIF, rank == 0 ? Font.BOLD : Font.PLAIN, 1).deriveFont((float) size);
            String text = displayable(region.words().get(rank).word().text(), font);
            lines.add(fit(graphics, text, font, place.getWidth() - 6));
            fonts.add(graphics.getFont());
            height += LINE * graphics.getFont().getSize2D();
        }
        double y = place.getCenterY() - height / 2;
        for (int rank = 0; rank < count; rank++) {
            graphics.setFont(fonts.get(rank));
            FontMetrics metrics = graphics.getFontMetrics();
            double lineHeight = LINE * fonts.get(rank).getSize2D();
            double x = place.getCenterX() - metrics.stringWidth(lines.get(rank)) / 2.0;
            double baseline = y + (lineHeight + metrics.getAscent() - metrics.getDescent()) / 2;
            boolean negative = region.words().get(rank).value() < 0;
            graphics.setColor(negative ? NEGATIVE_INK : rank == 0 ? INK : SOFT_INK);
            graphics.drawString(lines.get(rank), (float) x, (float) baseline);
            y += lineHeight;
        }
    }

    /** Sets the largest font in which the text has room; cuts it where even the smallest is too large. */
    private static String fit(Graphics2D graphics, String text, Font font, double width) {
        float size = font.getSize2D();
        graphics.setFont(font);
        while (graphics.getFontMetrics().stringWidth(text) > width && size > SMALLEST_FONT) {
            size = Math.max(SMALLEST_FONT, size - 0.5f);
            graphics.setFont(font.deriveFont(size));
        }
        FontMetrics metrics = graphics.getFontMetrics();
        String cut = text;
        while (cut.length() > 1 && metrics.stringWidth(cut.equals(text) ? text : cut + "\u2026") > width) {
            cut = cut.substring(0, cut.offsetByCodePoints(cut.length(), -1));
        }
        return cut.equals(text) ? text : cut + "\u2026";
    }

    /** Characters that this machine has no letters for are written as numbers. */
    private static String displayable(String text, Font font) {
        if (font.canDisplayUpTo(text) < 0) {
            return text;
        }
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(codePoint -> {
            if (font.canDisplay(codePoint)) {
                shown.appendCodePoint(codePoint);
            } else {
                shown.append(String.format(Locale.ROOT, "\\{U+%04X}", codePoint));
            }
        });
        return shown.toString();
    }

    /**
     * The picture in gray under the heat map of a word: orange where its value is positive, blue where it is negative,
     * the stronger the larger, relative to the largest absolute value. Patches that have no words are left gray. A line
     * below says word and range.
     *
     * @param word one of {@link Explanation#words()}
     * @return RGB, the caller's own
     * @throws LangBridgeException if this JVM has no fonts
     */
    public BufferedImage heatMap(Explanation.ImageWord word) {
        Layer layer = layers.get(layers.size() - 1);
        View view = View.ofSide(layer, HEAT_SIDE);
        BufferedImage drawn = view.canvas(LEGEND);
        Graphics2D graphics = graphics(drawn);
        try {
            view.draw(graphics, gray(picture));
            float least = Float.POSITIVE_INFINITY;
            float most = Float.NEGATIVE_INFINITY;
            List<Integer> patches = layer.patches().stream()
                    .filter(patch -> !explanation.patches().get(patch).words().isEmpty())
                    .collect(Collectors.toList());
            for (int patch : patches) {
                least = Math.min(least, word.value(patch));
                most = Math.max(most, word.value(patch));
            }
            float scale = Math.max(Math.abs(least), Math.abs(most));
            for (int patch : patches) {
                float share = scale == 0 ? 0 : word.value(patch) / scale;
                graphics.setComposite(
                        AlphaComposite.getInstance(AlphaComposite.SRC_OVER, Math.min(1, Math.abs(share)) * 0.85f));
                graphics.setColor(share < 0 ? NEGATIVE : POSITIVE);
                graphics.fill(view.place(explanation.patches().get(patch).area()));
            }
            graphics.setComposite(AlphaComposite.SrcOver);
            legend(graphics, word, patches.isEmpty() ? 0 : least, patches.isEmpty() ? 0 : most, drawn);
        } catch (InternalError | LinkageError e) {
            throw noFonts(e);
        } finally {
            graphics.dispose();
        }
        return drawn;
    }

    private void legend(Graphics2D graphics, Explanation.ImageWord word, float least, float most, BufferedImage drawn) {
        int width = drawn.getWidth();
        int top = drawn.getHeight() - LEGEND;
        graphics.setColor(new Color(0x16, 0x18, 0x1D));
        graphics.fillRect(0, top, width, LEGEND);
        int bar = Math.min(160, width / 3);
        Color middle = new Color(0x3A, 0x3D, 0x45);
        int left = width - bar - 12;
        int y = top + LEGEND / 2 - 5;
        graphics.setPaint(new GradientPaint(left, 0, NEGATIVE, left + bar / 2f, 0, middle));
        graphics.fillRect(left, y, bar / 2, 10);
        graphics.setPaint(new GradientPaint(left + bar / 2f, 0, middle, left + bar, 0, POSITIVE));
        graphics.fillRect(left + bar / 2, y, bar - bar / 2, 10);
        Font font = new Font(Font.SANS_SERIF, Font.PLAIN, 15);
        String text = displayable(word.word().text(), font)
                + String.format(Locale.ROOT, "   %s %.3g to %.3g", name(), least, most);
        text = fit(graphics, text, font, left - 24.0);
        graphics.setColor(Color.WHITE);
        graphics.drawString(text, 12, top + LEGEND / 2 + 5);
    }

    /** What the values are, in a word. */
    private String name() {
        if (explanation.areProbabilities()) {
            return "probability";
        }
        return switch (explanation.measure()) {
            case COEFFICIENT -> "coefficient";
            case COSINE -> "cosine";
            case SPARSE -> "factor";
        };
    }

    /**
     * One HTML page that needs nothing else, neither network nor other files: the words stand on the picture as in
     * {@link #overlay}; pointing at a patch, or going there with the arrow keys, shows all of its words, choosing a
     * word lights its patches. Light or dark as the reader's other pages are; a screen reader says what it shows.
     *
     * @return the page, to be written as UTF-8
     */
    public String page() {
        return Page.of(explanation, picture, layers, name());
    }

    private static Graphics2D graphics(BufferedImage image) {
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        return graphics;
    }

    private static BufferedImage gray(BufferedImage picture) {
        BufferedImage gray = new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
        int[] row = new int[picture.getWidth()];
        for (int y = 0; y < picture.getHeight(); y++) {
            picture.getRGB(0, y, row.length, 1, row, 0, row.length);
            for (int x = 0; x < row.length; x++) {
                int luma = (299 * (row[x] >> 16 & 0xFF) + 587 * (row[x] >> 8 & 0xFF) + 114 * (row[x] & 0xFF)) / 1000;
                row[x] = (luma * 7 / 10) * 0x010101; // darker, so that the colours of the map are seen
            }
            gray.setRGB(0, y, row.length, 1, row, 0, row.length);
        }
        return gray;
    }

    private static LangBridgeException noFonts(Throwable cause) {
        return new LangBridgeException(
                "This JVM cannot write words on pictures: " + cause
                        + ". It needs a font and, on Linux, fontconfig (Debian: fontconfig fonts-dejavu-core); page()"
                        + " works without",
                cause);
    }

    /** How a layer is laid on a canvas. */
    private record View(Layer layer, double scaleX, double scaleY) {
        /** Large enough for words in the cells. */
        static View withCells(Layer layer, Explanation.Area cell) {
            double x = CELL_WIDTH / (cell.right() - cell.left());
            double y = CELL_HEIGHT / (cell.bottom() - cell.top());
            double scale = Math.max(x, y);
            return Math.max(layer.width(), layer.height()) * scale <= LONGEST_SIDE
                    ? new View(layer, scale, scale)
                    : new View(layer, x, y);
        }

        /** The longer side has this many pixels, the shorter one at least an eighth of it. */
        static View ofSide(Layer layer, int side) {
            double scale = side / Math.max(layer.width(), layer.height());
            return new View(
                    layer, Math.max(scale, side / 8.0 / layer.width()), Math.max(scale, side / 8.0 / layer.height()));
        }

        BufferedImage canvas(int below) {
            int width = (int) Math.max(1, Math.round(layer.width() * scaleX));
            int height = (int) Math.max(1, Math.round(layer.height() * scaleY));
            return new BufferedImage(width, height + below, BufferedImage.TYPE_INT_RGB);
        }

        Rectangle2D place(Explanation.Area area) {
            return new Rectangle2D.Double(
                    (area.left() - layer.area().left()) * scaleX,
                    (area.top() - layer.area().top()) * scaleY,
                    (area.right() - area.left()) * scaleX,
                    (area.bottom() - area.top()) * scaleY);
        }

        void draw(Graphics2D graphics, BufferedImage picture) {
            graphics.setColor(PADDING);
            graphics.fillRect(0, 0, (int) Math.ceil(layer.width() * scaleX), (int) Math.ceil(layer.height() * scaleY));
            Rectangle2D place = place(new Explanation.Area(0, 0, picture.getWidth(), picture.getHeight()));
            graphics.drawImage(
                    picture,
                    (int) Math.round(place.getX()),
                    (int) Math.round(place.getY()),
                    (int) Math.round(place.getWidth()),
                    (int) Math.round(place.getHeight()),
                    null);
        }
    }
}
