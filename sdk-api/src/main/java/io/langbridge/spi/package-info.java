/** What a platform plugs in below the public types; applications do not need it. */
@NullMarked
package io.langbridge.spi;

import org.jspecify.annotations.NullMarked;
