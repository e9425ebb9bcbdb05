package io.langbridge.examples.springboot;

import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import io.langbridge.spring.boot.LangBridgeMetrics;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The bundled model, where {@code langbridge.model} names none; goes when you have your own. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty(name = "langbridge.model", matchIfMissing = true, havingValue = "none")
class BundledModel {
    @Bean
    DemoModel demoModel() {
        return DemoModel.open();
    }

    @Bean
    VisionLanguageModel visionLanguageModel(DemoModel demo, LangBridgeMetrics metrics) {
        return VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .maxConcurrentRequests(2)
                .listener(metrics)
                .build();
    }
}
