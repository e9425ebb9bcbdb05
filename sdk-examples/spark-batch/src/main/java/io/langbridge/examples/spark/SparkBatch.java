package io.langbridge.examples.spark;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;

import io.langbridge.ImageLimits;
import io.langbridge.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Asks one question about every picture of a folder, on many machines. */
@Command(
        name = "spark-batch",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Asks one question about every picture in a folder and below it, and adds a row for each to a table"
                        + " (Parquet). Pictures that have a row already are passed over, so a run that failed goes on.")
public final class SparkBatch implements Callable<Integer> {
    /** Names of pictures. Of formats that cannot be read their rows say so. */
    private static final String NAMES = "*.{[jJ][pP][gG],[jJ][pP][eE][gG],[pP][nN][gG],[gG][iI][fF],[bB][mM][pP],"
            + "[wW][eE][bB][pP],[tT][iI][fF],[tT][iI][fF][fF],[hH][eE][iI][cC],[aA][vV][iI][fF],[jJ][xX][lL]}";

    /** Larger files are not even read. */
    static final long LARGEST = ImageLimits.defaults().maxFileBytes();

    @Option(names = "--pictures", paramLabel = "FOLDER", required = true, description = "where the pictures are")
    private String pictures;

    @Option(names = "--question", paramLabel = "TEXT", required = true, description = "asked about each of them")
    private String question;

    @ArgGroup
    private Form form = new Form();

    /** What an answer may be. */
    static final class Form {
        @Option(names = "--choices", paramLabel = "A,B,..", split = ",", description = "answers, with probabilities")
        private List<String> choices;

        @Option(names = "--schema", paramLabel = "FILE", description = "a JSON Schema that answers are held to")
        private Path schema;
    }

    @Option(names = "--out", paramLabel = "FOLDER", required = true, description = "the table; is added to")
    private String out;

    @Option(
            names = "--model",
            paramLabel = "FOLDER",
            description = "under the same name on every machine; default: the bundled one, which knows drawings")
    private String model;

    @Option(names = "--precision", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES}; default: FULL")
    private Precision precision = Precision.FULL;

    @Option(names = "--max-tokens", paramLabel = "N", description = "of an answer; default: ${DEFAULT-VALUE}")
    private int maxTokens = 128;

    /**
     * What a run did.
     *
     * @param rows that were added
     * @param failed those with an error
     * @param loads how often a model was loaded
     */
    record Report(long rows, long failed, long loads) {}

    /**
     * Is called by {@code spark-submit}.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        int code = new CommandLine(new SparkBatch()).execute(args);
        if (code != 0) {
            System.exit(code);
        }
    }

    @Override
    public Integer call() throws IOException {
        String schema = form.schema == null ? null : Files.readString(form.schema);
        Task task = new Task(question, form.choices, schema, maxTokens);
        try (SparkSession spark = SparkSession.builder().appName("spark-batch").getOrCreate()) {
            int threads = spark.sparkContext().conf().getInt("spark.task.cpus", 1);
            Report report = run(spark, pictures, task, new Setup(model, precision, threads), out);
            System.out.printf(
                    "%d pictures were asked about, %d failed; %d models were loaded%n",
                    report.rows(), report.failed(), report.loads());
        }
        return 0;
    }

    static Report run(SparkSession spark, String pictures, Task task, Setup setup, String out) throws IOException {
        String revision = setup.revision();
        Dataset<Row> files = spark.read()
                .format("binaryFile")
                .option("recursiveFileLookup", true)
                .option("pathGlobFilter", NAMES)
                .option("ignoreMissingFiles", true) // gone since they were listed
                .load(pictures);
        Dataset<Row> readable = files.filter(col("length").leq(LARGEST))
                .select(col("path"), sha2(col("content"), 256).as("sha256"), col("content"));
        Dataset<Row> tooLarge = files.filter(col("length").gt(LARGEST))
                .select(
                        col("path"),
                        lit(null).cast("string").as("sha256"),
                        lit(null).cast("binary").as("content"));
        org.apache.hadoop.fs.Path table = new org.apache.hadoop.fs.Path(out);
        if (FileSystem.get(table.toUri(), spark.sparkContext().hadoopConfiguration())
                .exists(table)) {
            Dataset<Row> done = spark.read()
                    .schema(Ask.COLUMNS)
                    .parquet(out)
                    .filter(col("task").equalTo(task.key(revision)));
            // Broadcast, since pictures would travel otherwise: hashes are small, pictures are not.
            readable = readable.join(broadcast(done.select("sha256")), "sha256", "left_anti")
                    .select("path", "sha256", "content");
            tooLarge = tooLarge.join(broadcast(done.select(col("picture").as("path"))), "path", "left_anti");
        }
        LongAccumulator rows = spark.sparkContext().longAccumulator("rows");
        LongAccumulator failed = spark.sparkContext().longAccumulator("failed");
        LongAccumulator loads = spark.sparkContext().longAccumulator("models loaded");
        readable.union(tooLarge)
                .mapPartitions(new Ask(task, setup, revision, rows, failed, loads), Encoders.row(Ask.COLUMNS))
                .write()
                // A task's rows are in the table when it ends, and stay there if the job fails later.
                .option("mapreduce.fileoutputcommitter.algorithm.version", "2")
                .mode(SaveMode.Append)
                .parquet(out);
        return new Report(rows.value(), failed.value(), loads.value());
    }
}
