/** What visual tokens are made of, and what they are near to, in words of the language model. */
@NullMarked
package io.langbridge.runtime.core.explain;

import org.jspecify.annotations.NullMarked;
