package example.android;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Image;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Shows on a desktop that what R8 left of the libraries still answers. */
public final class Desktop {
    private Desktop() {}

    /**
     * Asks about a picture.
     *
     * @param args folder of the bundled model, picture, question and the answer that is right
     * @throws IOException if the picture cannot be read
     */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        BufferedImage picture = ImageIO.read(new File(args[1]));
        int width = picture.getWidth();
        int height = picture.getHeight();
        int[] argb = picture.getRGB(0, 0, width, height, null, 0, width);
        try (VisionLanguageModel model = VisionLanguageModel.builder()
                .encoder(Encoder.of(folder.resolve("encoder")))
                .adapter(Adapter.langBridge(folder.resolve("adapter")))
                .llm(Llm.of(folder.resolve("llm")))
                .withoutCache()
                .build()) {
            String answer =
                    model.ask(Image.ofArgb(argb, width, height), args[2]).text();
            System.out.println("Shrunk, it answered: " + answer);
            if (!answer.equals(args[3])) {
                throw new IllegalStateException("The right answer is: " + args[3]);
            }
        }
    }
}
