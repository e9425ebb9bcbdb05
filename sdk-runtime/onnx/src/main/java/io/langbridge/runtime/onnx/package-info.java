/** The networks as ONNX graphs, built from configuration and weights and run by ONNX Runtime. */
@NullMarked
package io.langbridge.runtime.onnx;

import org.jspecify.annotations.NullMarked;
