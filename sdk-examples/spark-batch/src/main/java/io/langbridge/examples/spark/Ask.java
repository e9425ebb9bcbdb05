package io.langbridge.examples.spark;

import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import java.util.Iterator;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Asks about the pictures of a partition, one after the other, while they are read. Runs where the pictures are read.
 */
final class Ask implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    static final StructType COLUMNS = new StructType()
            .add("picture", DataTypes.StringType)
            .add("sha256", DataTypes.StringType)
            .add("task", DataTypes.StringType)
            .add("question", DataTypes.StringType)
            .add("model", DataTypes.StringType)
            .add("answer", DataTypes.StringType)
            .add("probabilities", DataTypes.createMapType(DataTypes.StringType, DataTypes.DoubleType))
            .add("finish", DataTypes.StringType)
            .add("prompt_tokens", DataTypes.IntegerType)
            .add("visual_tokens", DataTypes.IntegerType)
            .add("new_tokens", DataTypes.IntegerType)
            .add("millis", DataTypes.LongType)
            .add("error", DataTypes.StringType);

    private final Task task;
    private final Setup setup;
    private final String revision;
    private final LongAccumulator rows;
    private final LongAccumulator failed;
    private final LongAccumulator loads;

    Ask(Task task, Setup setup, String revision, LongAccumulator rows, LongAccumulator failed, LongAccumulator loads) {
        this.task = task;
        this.setup = setup;
        this.revision = revision;
        this.rows = rows;
        this.failed = failed;
        this.loads = loads;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> pictures) {
        String key = task.key(revision);
        return new Iterator<>() {
            private VisionLanguageModel model;

            @Override
            public boolean hasNext() {
                return pictures.hasNext();
            }

            @Override
            public Row next() {
                Row picture = pictures.next();
                if (model == null) {
                    model = setup.model(() -> loads.add(1));
                    task.check(model);
                }
                return ask(model, picture, key);
            }
        };
    }

    private Row ask(VisionLanguageModel model, Row picture, String key) {
        Answered row = new Answered();
        row.picture = picture.getString(0);
        row.sha256 = picture.getString(1);
        row.task = key;
        row.model = revision;
        if (picture.isNullAt(2)) {
            row.question = task.question();
            row.error = "The file has more than " + SparkBatch.LARGEST + " bytes";
        } else {
            task.ask(model, Image.of(picture.<byte[]>getAs(2)), row);
        }
        rows.add(1);
        failed.add(row.error == null ? 0 : 1);
        return RowFactory.create(
                row.picture,
                row.sha256,
                row.task,
                row.question,
                row.model,
                row.answer,
                row.probabilities == null ? null : CollectionConverters.asScala(row.probabilities),
                row.finish,
                row.promptTokens,
                row.visualTokens,
                row.newTokens,
                row.millis,
                row.error);
    }
}
