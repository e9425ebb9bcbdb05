@NullMarked
package io.langbridge.benchmarks;

import org.jspecify.annotations.NullMarked;
