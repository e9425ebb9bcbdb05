/** From logits to the next token. */
@NullMarked
package io.langbridge.runtime.core.generate;

import org.jspecify.annotations.NullMarked;
