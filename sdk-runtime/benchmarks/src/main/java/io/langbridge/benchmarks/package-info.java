/** Timings and memory of every phase, beside those of other programs. */
@NullMarked
package io.langbridge.benchmarks;

import org.jspecify.annotations.NullMarked;
