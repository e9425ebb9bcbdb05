/** The choice of the next token from its logits. Knows of other rooms only what an answer is held to. */
@NullMarked
package io.langbridge.runtime.core.generate;

import org.jspecify.annotations.NullMarked;
