/** A model that computes nothing, for unit tests of what asks one: start at {@code FakeModel}. */
@NullMarked
package io.langbridge.testing;

import org.jspecify.annotations.NullMarked;
