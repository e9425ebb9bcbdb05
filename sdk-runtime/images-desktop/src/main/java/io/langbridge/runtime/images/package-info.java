/** Picture decoding for desktop and server JVMs, with readers of our own, and ImageIO for JPEG and TIFF. */
@NullMarked
package io.langbridge.runtime.images;

import org.jspecify.annotations.NullMarked;
