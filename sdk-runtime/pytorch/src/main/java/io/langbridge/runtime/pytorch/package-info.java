/**
 * The three networks in PyTorch, on CUDA and on the CPU. {@link io.langbridge.runtime.pytorch.PyTorchEngine} is found
 * by {@link java.util.ServiceLoader}; nothing else here needs to be named.
 */
@NullMarked
package io.langbridge.runtime.pytorch;

import org.jspecify.annotations.NullMarked;
