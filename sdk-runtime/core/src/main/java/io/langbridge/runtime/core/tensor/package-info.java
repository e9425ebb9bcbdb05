/** Values in native memory with a shape. Uses no other room. */
@NullMarked
package io.langbridge.runtime.core.tensor;

import org.jspecify.annotations.NullMarked;
