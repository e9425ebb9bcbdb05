/** Picture decoding for desktop and server JVMs, with ImageIO and the TwelveMonkeys plug-ins. */
@NullMarked
package io.langbridge.runtime.images;

import org.jspecify.annotations.NullMarked;
