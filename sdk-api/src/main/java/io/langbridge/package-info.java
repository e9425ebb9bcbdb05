/** Questions about pictures, answered in the caller's own process: start at {@code VisionLanguageModel}. */
@NullMarked
package io.langbridge;

import org.jspecify.annotations.NullMarked;
