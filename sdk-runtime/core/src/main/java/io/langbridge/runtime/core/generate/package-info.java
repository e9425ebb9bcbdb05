/** The choice of the next token from its logits. Uses no other room. */
@NullMarked
package io.langbridge.runtime.core.generate;

import org.jspecify.annotations.NullMarked;
