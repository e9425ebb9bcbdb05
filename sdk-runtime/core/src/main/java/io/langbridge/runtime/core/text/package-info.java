/** Tokenizers and streaming text. */
@NullMarked
package io.langbridge.runtime.core.text;

import org.jspecify.annotations.NullMarked;
