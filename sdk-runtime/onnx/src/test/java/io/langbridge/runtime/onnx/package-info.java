@NullMarked
package io.langbridge.runtime.onnx;

import org.jspecify.annotations.NullMarked;
