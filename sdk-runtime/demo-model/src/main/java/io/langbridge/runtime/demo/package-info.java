/** A small trained model to try the library with. */
@NullMarked
package io.langbridge.runtime.demo;

import org.jspecify.annotations.NullMarked;
