/** The vocabulary that a LangBridge adapter shares between language models. */
@NullMarked
package io.langbridge.runtime.core.vocabulary;

import org.jspecify.annotations.NullMarked;
