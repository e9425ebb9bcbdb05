package io.langbridge.benchmarks;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;

/** A photograph's size and roughly its detail: colours that flow, with grain. */
final class Picture {
    static final int WIDTH = 1024;
    static final int HEIGHT = 768;

    private Picture() {}

    /** The file in this folder, written if it is not there. */
    static Path in(Path folder) throws IOException {
        Path file = folder.resolve("picture.jpg");
        if (!Files.exists(file)) {
            ImageIO.write(draw(), "jpg", file.toFile());
        }
        return file;
    }

    private static BufferedImage draw() {
        Random random = new Random(7);
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                int grain = random.nextInt(24);
                int red = (int) (115 * (1 + Math.sin(x / 90.0))) + grain;
                int green = (int) (115 * (1 + Math.sin(y / 70.0))) + grain;
                int blue = (int) (115 * (1 + Math.cos((x + y) / 110.0))) + grain;
                image.setRGB(x, y, red << 16 | green << 8 | blue);
            }
        }
        return image;
    }
}
