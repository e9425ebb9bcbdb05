package io.langbridge.runtime.images.webp;

/** What VP8L did to the rows of a picture before it coded them, undone row by row from the top. */
interface Transform {
    /**
     * Undoes it.
     *
     * @param y number of the row
     * @param row its pixels; may be changed
     * @return the pixels, in {@code row} or in an array that is used again for the next row
     */
    int[] undo(int y, int[] row);

    /** Green was subtracted from red and blue. */
    final class Green implements Transform {
        @Override
        public int[] undo(int y, int[] row) {
            for (int x = 0; x < row.length; x++) {
                int green = row[x] >> 8 & 0xff;
                int others = (row[x] & 0x00ff00ff) + (green << 16 | green);
                row[x] = row[x] & 0xff00ff00 | others & 0x00ff00ff;
            }
            return row;
        }
    }

    /**
     * Red and blue were predicted from the other channels.
     *
     * @param tiles factors for each square of {@code 1 << bits} pixels
     */
    record Colour(int bits, int[] tiles) implements Transform {
        @Override
        public int[] undo(int y, int[] row) {
            int tile = (y >> bits) * Vp8l.tiles(row.length, bits);
            for (int from = 0; from < row.length; from += 1 << bits, tile++) {
                byte greenToRed = (byte) tiles[tile];
                byte greenToBlue = (byte) (tiles[tile] >> 8);
                byte redToBlue = (byte) (tiles[tile] >> 16);
                int end = Math.min(row.length, from + (1 << bits));
                for (int x = from; x < end; x++) {
                    int pixel = row[x];
                    byte green = (byte) (pixel >> 8);
                    int red = (pixel >> 16) + (greenToRed * green >> 5);
                    int blue = pixel + (greenToBlue * green >> 5) + (redToBlue * (byte) red >> 5);
                    row[x] = pixel & 0xff00ff00 | (red & 0xff) << 16 | blue & 0xff;
                }
            }
            return row;
        }
    }

    /** Pixels were replaced by numbers of colours, which share a pixel if there are at most 16 of them. */
    final class Palette implements Transform {
        private final int bits;
        private final int[] colours;
        private final int[] pixels;

        /**
         * Makes one.
         *
         * @param bits how often the width was halved
         * @param colours as many as numbers can be written
         */
        Palette(int width, int bits, int[] colours) {
            this.bits = bits;
            this.colours = colours;
            this.pixels = new int[width];
        }

        @Override
        public int[] undo(int y, int[] row) {
            int inPixel = (1 << bits) - 1;
            int size = 8 >> bits;
            int mask = (1 << size) - 1;
            for (int x = 0; x < pixels.length; x++) {
                int packed = row[x >> bits] >> 8 & 0xff;
                pixels[x] = colours[packed >> (x & inPixel) * size & mask];
            }
            return pixels;
        }
    }

    /** Pixels were predicted from those above and to the left. */
    final class Predictor implements Transform {
        private static final int BLACK = 0xff000000;

        private final int bits;
        private final int[] tiles;
        private final int[] above;

        /**
         * Makes one.
         *
         * @param tiles the way of prediction for each square of {@code 1 << bits} pixels
         */
        Predictor(int width, int bits, int[] tiles) {
            this.bits = bits;
            this.tiles = tiles;
            this.above = new int[width];
        }

        @Override
        public int[] undo(int y, int[] row) {
            if (y == 0) {
                row[0] = add(row[0], BLACK);
                for (int x = 1; x < row.length; x++) {
                    row[x] = add(row[x], row[x - 1]);
                }
            } else {
                row[0] = add(row[0], above[0]);
                int tile = (y >> bits) * Vp8l.tiles(row.length, bits);
                for (int from = 0; from < row.length; from += 1 << bits, tile++) {
                    int end = Math.min(row.length, from + (1 << bits));
                    // The last pixel has none above to the right; the format takes the first of its own row instead.
                    int inner = Math.min(end, row.length - 1);
                    int mode = tiles[tile] >> 8 & 0xf;
                    predict(mode, row, Math.max(from, 1), inner);
                    if (end == row.length && end > 1) {
                        int x = row.length - 1;
                        row[x] = add(row[x], one(mode, row[x - 1], above[x], above[x - 1], row[0]));
                    }
                }
            }
            System.arraycopy(row, 0, above, 0, row.length);
            return row;
        }

        private void predict(int mode, int[] row, int from, int end) {
            int left = from < end ? row[from - 1] : 0;
            switch (mode) {
                case 1 -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], left);
                    }
                }
                case 2 -> {
                    for (int x = from; x < end; x++) {
                        row[x] = add(row[x], above[x]);
                    }
                }
                case 7 -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], mean(left, above[x]));
                    }
                }
                case 11 -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], select(left, above[x], above[x - 1]));
                    }
                }
                case 12 -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], gradient(left, above[x], above[x - 1]));
                    }
                }
                case 13 -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], halfGradient(mean(left, above[x]), above[x - 1]));
                    }
                }
                default -> {
                    for (int x = from; x < end; x++) {
                        left = row[x] = add(row[x], one(mode, left, above[x], above[x - 1], above[x + 1]));
                    }
                }
            }
        }

        private static int one(int mode, int left, int above, int aboveLeft, int aboveRight) {
            return switch (mode) {
                case 1 -> left;
                case 2 -> above;
                case 3 -> aboveRight;
                case 4 -> aboveLeft;
                case 5 -> mean(mean(left, aboveRight), above);
                case 6 -> mean(left, aboveLeft);
                case 7 -> mean(left, above);
                case 8 -> mean(aboveLeft, above);
                case 9 -> mean(above, aboveRight);
                case 10 -> mean(mean(left, aboveLeft), mean(above, aboveRight));
                case 11 -> select(left, above, aboveLeft);
                case 12 -> gradient(left, above, aboveLeft);
                case 13 -> halfGradient(mean(left, above), aboveLeft);
                default -> BLACK;
            };
        }

        /** Adds each channel by itself. */
        static int add(int a, int b) {
            return (a & 0xff00ff00) + (b & 0xff00ff00) & 0xff00ff00 | (a & 0x00ff00ff) + (b & 0x00ff00ff) & 0x00ff00ff;
        }

        private static int mean(int a, int b) {
            return ((a ^ b) >>> 1 & 0x7f7f7f7f) + (a & b);
        }

        private static int select(int left, int above, int corner) {
            int toLeft = 0;
            int toAbove = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                int c = corner >> shift & 0xff;
                toLeft += Math.abs((above >> shift & 0xff) - c);
                toAbove += Math.abs((left >> shift & 0xff) - c);
            }
            return toLeft < toAbove ? left : above;
        }

        private static int gradient(int left, int above, int corner) {
            int sum = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                int value = (left >> shift & 0xff) + (above >> shift & 0xff) - (corner >> shift & 0xff);
                sum |= Math.max(0, Math.min(value, 255)) << shift;
            }
            return sum;
        }

        private static int halfGradient(int mean, int corner) {
            int sum = 0;
            for (int shift = 0; shift < 32; shift += 8) {
                int from = mean >> shift & 0xff;
                int value = from + (from - (corner >> shift & 0xff)) / 2;
                sum |= Math.max(0, Math.min(value, 255)) << shift;
            }
            return sum;
        }
    }
}
