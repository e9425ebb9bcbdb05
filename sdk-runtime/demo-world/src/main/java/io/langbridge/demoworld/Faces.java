package io.langbridge.demoworld;

import java.awt.Font;
import java.awt.FontFormatException;
import java.awt.GraphicsEnvironment;
import java.awt.Shape;
import java.awt.font.FontRenderContext;
import java.awt.geom.AffineTransform;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The fonts that characters are drawn in: those of the class path, which are the same everywhere, and this machine's
 * own. Thread-safe.
 */
final class Faces {
    private static final List<String> BUNDLED = List.of(
            "/com/formdev/flatlaf/fonts/roboto/Roboto-Bold.ttf",
            "/com/formdev/flatlaf/fonts/roboto/Roboto-Medium.ttf",
            "/com/formdev/flatlaf/fonts/inter/Inter-Bold.otf",
            "/com/formdev/flatlaf/fonts/inter/Inter-SemiBold.otf",
            "/com/formdev/flatlaf/fonts/jetbrains_mono/JetBrainsMono-Bold.ttf",
            "/META-INF/resources/webjars/katex/0.18.11/dist/fonts/KaTeX_Main-Bold.ttf",
            "/META-INF/resources/webjars/katex/0.18.11/dist/fonts/KaTeX_SansSerif-Bold.ttf");
    private static final Set<String> LOGICAL = Set.of(Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED);
    private static final String NEEDED = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789";
    private static final FontRenderContext UNHINTED = new FontRenderContext(null, true, true);
    private static final List<Font> FONTS = fonts();
    private static final Map<Long, Shape> OUTLINES = new ConcurrentHashMap<>();

    private Faces() {}

    /** How many faces there are; a face is named by its index. */
    static int count() {
        return FONTS.size();
    }

    /**
     * A character's outline.
     *
     * @param face which font, 0 to {@link #count()}
     * @param character A to Z or 0 to 9
     * @return an outline whose height is 1 and whose centre is (0, 0)
     */
    static Shape outline(int face, char character) {
        return OUTLINES.computeIfAbsent((long) face << 16 | character, key -> {
            Shape glyph = FONTS.get(face)
                    .createGlyphVector(UNHINTED, String.valueOf(character))
                    .getOutline();
            Rectangle2D bounds = glyph.getBounds2D();
            AffineTransform fit = AffineTransform.getScaleInstance(1 / bounds.getHeight(), 1 / bounds.getHeight());
            fit.translate(-bounds.getCenterX(), -bounds.getCenterY());
            return fit.createTransformedShape(glyph);
        });
    }

    private static List<Font> fonts() {
        List<Font> fonts = new ArrayList<>();
        for (String resource : BUNDLED) {
            try (InputStream in = Faces.class.getResourceAsStream(resource)) {
                if (in == null) {
                    throw new IllegalStateException("The class path lacks the font " + resource);
                }
                fonts.add(Font.createFont(Font.TRUETYPE_FONT, in).deriveFont(100f));
            } catch (IOException | FontFormatException e) {
                throw new IllegalStateException("Cannot read the font " + resource + ": " + e.getMessage(), e);
            }
        }
        Set<String> installed = new TreeSet<>(LOGICAL);
        for (String family : GraphicsEnvironment.getLocalGraphicsEnvironment().getAvailableFontFamilyNames()) {
            // Families known to hold plain Latin letters: many others are symbols, scripts or ornaments.
            if (family.matches("(DejaVu|Liberation|Noto|Free|Ubuntu) ?(Sans|Serif)?( Mono| Condensed)?|Arial|Verdana"
                    + "|Helvetica|Georgia|Times New Roman|Courier New|Trebuchet MS|Tahoma|Calibri|Cambria|Menlo")) {
                installed.add(family);
            }
        }
        for (String family : installed) {
            for (int style : new int[] {Font.BOLD, Font.PLAIN}) {
                Font font = new Font(family, style, 100);
                boolean tooThin = style == Font.PLAIN && (family.contains("Mono") || family.contains("Courier"));
                if (!tooThin && font.canDisplayUpTo(NEEDED) < 0) {
                    fonts.add(font);
                }
            }
        }
        return List.copyOf(fonts);
    }
}
