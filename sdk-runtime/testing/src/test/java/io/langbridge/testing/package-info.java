@NullMarked
package io.langbridge.testing;

import org.jspecify.annotations.NullMarked;
