/**
 * Answers held to a JSON Schema or a pattern: which tokens may come next. Schemas and patterns become automata over
 * bytes, the vocabulary a trie of bytes; where both meet are the tokens. Knows nothing of scores.
 */
@NullMarked
package io.langbridge.runtime.core.constrain;

import org.jspecify.annotations.NullMarked;
