/** Closing what was opened, in order and whatever fails; opening side by side. Uses no other room. */
@NullMarked
package io.langbridge.runtime.core.lifecycle;

import org.jspecify.annotations.NullMarked;
