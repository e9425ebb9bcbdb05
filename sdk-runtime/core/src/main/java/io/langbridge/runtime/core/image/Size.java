package io.langbridge.runtime.core.image;

/**
 * Size in pixels.
 *
 * @param width pixels from left to right
 * @param height pixels from top to bottom
 */
public record Size(int width, int height) {}
