/** From RGB pixels to the tiles an encoder reads, byte for byte as the reference does. */
@NullMarked
package io.langbridge.runtime.core.image;

import org.jspecify.annotations.NullMarked;
