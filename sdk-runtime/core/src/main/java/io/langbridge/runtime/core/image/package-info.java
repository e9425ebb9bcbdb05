/**
 * From a picture to what an encoder reads, to the bit: plans, resizing, normalising, the order of visual tokens. Which
 * plan a model wants is not known here. Uses {@code network} and {@code tensor}.
 */
@NullMarked
package io.langbridge.runtime.core.image;

import org.jspecify.annotations.NullMarked;
