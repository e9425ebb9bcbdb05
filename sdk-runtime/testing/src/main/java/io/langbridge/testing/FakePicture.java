package io.langbridge.testing;

import io.langbridge.EncodedImage;

/** A picture that nobody looked at. */
final class FakePicture implements EncodedImage {
    private static final int SIDE = 336;

    @Override
    public int width() {
        return SIDE;
    }

    @Override
    public int height() {
        return SIDE;
    }

    @Override
    public int tiles() {
        return 1;
    }
}
