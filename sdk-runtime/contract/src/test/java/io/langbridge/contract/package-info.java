@NullMarked
package io.langbridge.contract;

import org.jspecify.annotations.NullMarked;
