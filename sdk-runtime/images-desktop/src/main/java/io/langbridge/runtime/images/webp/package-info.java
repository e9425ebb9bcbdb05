/**
 * WebP, read row by row without ImageIO: the container, VP8 (lossy, RFC 6386, key frames) and VP8L (lossless). Samples
 * equal libwebp's, which the reference decodes with. What is wrong with a file leaves as {@link java.io.IOException}.
 */
@NullMarked
package io.langbridge.runtime.images.webp;

import org.jspecify.annotations.NullMarked;
