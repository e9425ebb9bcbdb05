/** Questions about pictures, answered in the caller's own process: start at {@link io.langbridge.VisionLanguageModel}. */
@NullMarked
package io.langbridge;

import org.jspecify.annotations.NullMarked;
