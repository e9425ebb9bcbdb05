@NullMarked
package io.langbridge.runtime.pytorch;

import org.jspecify.annotations.NullMarked;
