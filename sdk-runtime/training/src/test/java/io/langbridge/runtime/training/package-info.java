@NullMarked
package io.langbridge.runtime.training;

import org.jspecify.annotations.NullMarked;
