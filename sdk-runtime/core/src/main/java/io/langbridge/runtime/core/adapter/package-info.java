/** What happens to an adapter when a language model is attached to it. */
@NullMarked
package io.langbridge.runtime.core.adapter;

import org.jspecify.annotations.NullMarked;
