/**
 * Downloads models from a Hugging Face hub into the cache that Python uses too. Nothing connects unless it is called:
 * start at {@code Hub}.
 */
@NullMarked
package io.langbridge.hub;

import org.jspecify.annotations.NullMarked;
