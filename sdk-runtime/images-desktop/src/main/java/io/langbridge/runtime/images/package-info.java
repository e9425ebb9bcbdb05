/**
 * Picture decoding for desktop and server JVMs, with ImageIO, the TwelveMonkeys plug-in for JPEG, and a WebP reader of
 * its own.
 */
@NullMarked
package io.langbridge.runtime.images;

import org.jspecify.annotations.NullMarked;
