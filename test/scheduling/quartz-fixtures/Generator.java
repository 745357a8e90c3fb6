import java.text.ParseException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Random;
import java.util.TimeZone;
import org.quartz.CronExpression;

/**
 * Asks Quartz itself what cron expressions mean and prints one JSON array a line:
 *
 *   ["kind", "expression", "zone", "from (UTC)", [epoch seconds of the next runs, null = no further run]]
 *   ["invalid", "expression", "text of the ParseException"]
 *
 * The README beside it says how to run it. Its output is deterministic: the random part has a fixed seed.
 */
public class Generator {
    static final String[] ZONES = {
        "UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago",
        "Europe/London", "Australia/Sydney", "Pacific/Auckland", "America/Sao_Paulo", "Asia/Tokyo", "Asia/Kathmandu",
        "America/St_Johns", "Pacific/Chatham", "America/Los_Angeles", "Europe/Dublin", "America/Havana",
        "Asia/Beirut", "Africa/Johannesburg", "Pacific/Kiritimati",
    };
    static final String[] STARTS = {
        "2026-01-15T10:20:30Z", "2026-02-27T23:59:59Z", "2027-12-31T22:15:00Z", "2028-02-28T12:00:00Z",
        "2025-06-30T06:07:08Z", "2029-08-01T00:00:00Z",
    };

    /** Every operator of every field; each of them gets a zone and a start in turn. */
    static final String[] OPERATORS = {
        // the examples of the Quartz documentation
        "0 0 12 * * ?", "0 15 10 ? * *", "0 15 10 * * ?", "0 15 10 * * ? *", "0 15 10 * * ? 2029", "0 * 14 * * ?",
        "0 0/5 14 * * ?", "0 0/5 14,18 * * ?", "0 0-5 14 * * ?", "0 10,44 14 ? 3 WED", "0 15 10 ? * MON-FRI",
        "0 15 10 15 * ?", "0 15 10 L * ?", "0 15 10 L-2 * ?", "0 15 10 ? * 6L", "0 15 10 ? * 6L 2024-2030",
        "0 15 10 ? * 6#3", "0 0 12 1/5 * ?", "0 11 11 11 11 ?", "0/5 * * * * ?", "0 0 22-2 * * ?",
        "0 15 10 LW * ?", "0 15 10 15W * ?", "0 0/30 8-9 5,20 * ?", "0 0 10-18/2 ? * MON,WED,FRI",
        // seconds
        "* * * * * ?", "7 * * * * ?", "0,30 * * * * ?", "10-20 * * * * ?", "10-20/3 * * * * ?", "50-10 * * * * ?",
        "50-10/4 * * * * ?", "5/15 * * * * ?", "*/7 * * * * ?", "/13 * * * * ?", "*/0 * * * * ?", "30/0 * * * * ?",
        "59 * * * * ?", "0 * * * * ?", "3,9-12,40/10 * * * * ?", "00 * * * * ?", "007 * * * * ?", "*/59 * * * * ?",
        "59-0 * * * * ?", "0-59/61 * * * * ?", "20-10/0 * * * * ?", "*5 * * * * ?", "12X * * * * ?", "1-5X * * * * ?",
        "*/-5 * * * * ?", "*/+5 * * * * ?", ",5,,7, * * * * ?",
        // minutes
        "0 5 * * * ?", "0 0,15,30,45 * * * ?", "0 50-5 * * * ?", "0 50-5/3 * * * ?", "0 3/20 * * * ?", "0 */25 * * * ?",
        "0 /40 * * * ?", "0 59 23 * * ?", "30 1-3,10-12 4 * * ?", "15 */59 * * * ?", "0 58/1 * * * ?", "0 0/0 * * * ?",
        // hours
        "0 0 0 * * ?", "0 0 6/5 * * ?", "0 0 */7 * * ?", "0 0 /9 * * ?", "0 0 23-1 * * ?", "0 30 20-4/3 * * ?",
        "0 0 9,17 * * ?", "0 0 23 * * ?", "0 0 0-23 * * ?", "0 0 0/1 * * ?", "5 4 3 * * ?", "0 0 */23 * * ?",
        "0 0 8-12,14-18/2,22 * * ?", "59 59 23 * * ?", "0 0 12-12 * * ?", "0 0 0/0 * * ?",
        // days of the month
        "0 0 12 1 * ?", "0 0 12 31 * ?", "0 0 12 30 * ?", "0 0 12 29 * ?", "0 0 12 28-3 * ?", "0 0 12 1,15 * ?",
        "0 0 12 */4 * ?", "0 0 12 /6 * ?", "0 0 12 25/2 * ?", "0 0 12 10-20/5 * ?", "0 0 12 25-5/3 * ?",
        "0 0 12 29,30,31 * ?", "0 0 12 5,6,7,31 * ?", "0 0 12 */31 * ?", "0 0 12 15/0 * ?", "0 0 12 7-0 * ?",
        "0 0 0 1-7 * ?", "0 0 12 01 * ?", "0 0 12 3X * ?", "0 0 12 *,5 * ?",
        // the last day of the month, and the nearest weekday
        "0 0 12 L * ?", "0 0 12 L-1 * ?", "0 0 12 L-5 * ?", "0 0 12 L-15 * ?", "0 0 12 L-27 * ?", "0 0 12 L-28 * ?",
        "0 0 12 L-29 * ?", "0 0 12 L-30 * ?", "0 0 12 L-0 * ?", "0 0 12 LW * ?", "0 0 12 L-1W * ?", "0 0 12 L-2W * ?",
        "0 0 12 L-10W * ?", "0 0 12 L-27W * ?", "0 0 12 L-W * ?", "0 0 12 1W * ?", "0 0 12 2W * ?", "0 0 12 10W * ?",
        "0 0 12 15W 6 ?", "0 0 12 28W * ?", "0 0 12 28W 2 ?", "0 0 12 31W 1,3,5 ?", "0 0 12 30W 4,6,9,11 ?",
        "0 0 12 1W,15W * ?", "0 0 12 20,3W * ?", "0 0 12 L 2 ?", "0 0 12 LW 2,8 ?", "0 0 12 l-3w * ?", "0 30 6,18 15W * ?",
        "0/20 59 23 LW * ?", "0 0 0 L 12 ?", "0 0 0 LW 12 ?", "0 0 23 L * ?", "0 0 0 1W 1 ?",
        // months
        "0 0 12 1 1 ?", "0 0 12 1 JAN ?", "0 0 12 1 DEC ?", "0 0 12 1 1,4,7,10 ?", "0 0 12 1 JAN,JUN ?",
        "0 0 12 1 3-5 ?", "0 0 12 1 MAR-MAY ?", "0 0 12 1 NOV-FEB ?", "0 0 12 1 11-2 ?", "0 0 12 1 10-3/2 ?",
        "0 0 12 1 2/3 ?", "0 0 12 1 */5 ?", "0 0 12 1 /4 ?", "0 0 12 1 JANUARY ?", "0 0 12 1 JAN/2 ?",
        "0 0 12 1 feb-apr ?", "0 0 12 1 JAN-DEC/3 ?", "0 0 12 29 2 ?", "0 0 12 31 4,5 ?", "0 0 12 * 7 ?", "0 0 12 1 8-0 ?",
        "0 0 12 1 */12 ?", "0 0 12 1 12/12 ?", "0 0 12 31 12 ?", "0 0 12 1 SEPT ?", "0 0 12 1 5/0 ?",
        // days of the week
        "0 0 12 ? * 1", "0 0 12 ? * 7", "0 0 12 ? * SUN", "0 0 12 ? * SAT", "0 0 12 ? * MON", "0 0 12 ? * mon-fri",
        "0 0 12 ? * 2-6", "0 0 12 ? * FRI-MON", "0 0 12 ? * 6-2", "0 0 12 ? * 7-2/2", "0 0 12 ? * 2/2", "0 0 12 ? * */3",
        "0 0 12 ? * /4", "0 0 12 ? * MON,THU", "0 0 12 ? * 1,3,5", "0 0 12 ? * L", "0 0 12 ? * 7L", "0 0 12 ? * 1L",
        "0 0 12 ? * 2L", "0 0 12 ? * FRIL", "0 0 12 ? * sunl", "0 0 12 ? * 2#1", "0 0 12 ? * 3#2", "0 0 12 ? * 6#4",
        "0 0 12 ? * 6#5", "0 0 12 ? * 1#5", "0 0 12 ? * FRI#3", "0 0 12 ? * SAT#1", "0 0 12 ? * SUN#5", "0 0 12 ? * MON-FRI/2",
        "0 0 12 ? * TUESDAY", "0 0 12 ? * LW", "0 0 12 ? * L-3", "0 0 12 ? * 2#1,5", "0 0 12 ? * 5-0", "0 0 12 ? * MON-WED,SAT",
        "0 0 12 ? * *", "0 0 12 ? 2 MON#5", "0 0 12 ? 2 5#5", "0 0 12 ? JAN-MAR TUE", "0 0 12 ? 12 6L", "0 0 0 ? * MON#1",
        "0 0 0 ? 1 2L", "0 59 23 ? * SAT", "0 0 12 ? * 4/0", "0 0 12 ? * */7", "0 0 12 ? * WED/2",
        // years
        "0 0 12 1 1 ? 2027", "0 0 12 1 1 ? 2027-2029", "0 0 12 1 1 ? 2026/2", "0 0 12 1 1 ? 2026-2040/5", "0 0 12 1 1 ? 2027,2031",
        "0 0 12 1 1 ? */10", "0 0 12 29 2 ? 2028-2044", "0 0 12 * * ? 2020", "0 0 12 1 1 ? 2024", "0 0 12 ? * 2#1 2030",
        "0 0 12 1 1 ? 2031,2027-2028", "0 0 0 31 12 ? 2030", "59 59 23 31 12 ? 2029", "0 0 12 29 2 ? 2030", "0 0 12 1 1 ? /25",
        "0 0 12 30 2 ?", "0 0 12 31 2,4,6,9,11 ?", "0 0 12 ? 2 SUN#5 2030", "0 0 12 29 2 ? 2029-2031", "0 0 12 1 1 ? 1969",
        "0 0 12 1 1 ? 2030/0",
        // separators, case, text after the seventh field
        "0  0   12 * * ?", "0\t0\t12\t*\t*\t?", " 0 0 12 * * ? ", "0 0 12 * * ? * and some text", "0 0 12 ? * mon",
        "0 0 12 ? jan-mar Tue", "0 0 12 1 * ? 2027 *", "0 0 12\n * * ?", "0 0 12 * * ?X", "0 0 12 ?X * MON",
        // together
        "*/10 */10 */6 */10 */3 ?", "0-10/5 1,2 3-5 ? 6-8 MON-WED 2026-2028", "13 37 4 ? 2 6#2 2027/2", "0 0 0,12 L 2,4 ? 2027-2031",
        "30 15/15 9-17 ? * 2-6", "0 0/10 6-8,16-19 ? * MON-FRI", "15,45 0 0 1/10 3/3 ?", "0 0 3 ? 1-12/2 SUN#1", "1 2 3 4 5 ? 2027",
        "0 0 4 L-3 */2 ?", "0 45 23 LW 3,6,9,12 ?", "59 59 23 L * ? 2026-2027", "0 30 2 ? * SUN", "0 30 1 ? 11 SUN#1",
    };

    /** Run on the days on which clocks change, and around them. */
    static final String[] CLOCK_CHANGES = {
        "0 30 2 * * ?", "0 0 2 * * ?", "0 15 1-3 * * ?", "0 0/20 * * * ?", "0 30 1 * * ?", "0 0/20 0/1 * * ?",
        "0 0 * * * ?", "0 15 2,3 * * ?", "0 0/30 1-2 * * ?", "0 0 0 * * ?", "0 30 0 * * ?", "0 0 3 * * ?", "0 45 1 * * ?",
        "0 0 0 ? * SUN", "0 30 2 ? * SUN", "0 0/10 2 * * ?", "0 0 0-6 * * ?", "0 59 23 * * ?", "30 29/30 * * * ?",
        "0 0 1 * * ?", "0 15 2 ? 3 SUN#2", "0 30 1 ? 11 1#1", "0 10/20 0,2 * * ?", "0 0 0/2 * * ?", "0 5 1/2 * * ?",
        "0/30 59,0 1,2,3 * * ?", "0 0 12 * * ?", "0 50 2 * * ?",
    };
    /** zone, local starts: the evening before, in and around the change; both directions. */
    static final String[][] CHANGE_DAYS = {
        {"America/New_York", "2026-03-07T23:10:00", "2026-03-08T01:40:00", "2026-03-08T03:00:00", "2026-10-31T23:10:00", "2026-11-01T00:40:00", "2026-11-01T02:00:00"},
        {"Europe/Berlin", "2026-03-28T23:10:00", "2026-03-29T01:50:00", "2026-10-24T23:10:00", "2026-10-25T01:40:00"},
        {"Australia/Lord_Howe", "2026-10-03T23:10:00", "2026-10-04T01:50:00", "2026-04-04T23:10:00", "2026-04-05T01:20:00"},
        {"America/Santiago", "2026-09-05T22:10:00", "2026-09-06T01:00:00", "2026-04-04T22:10:00", "2026-04-04T22:50:00"},
        {"Europe/London", "2026-03-28T23:10:00", "2026-10-25T00:10:00"},
        {"Australia/Sydney", "2026-10-03T23:10:00", "2026-04-04T23:10:00"},
        {"Pacific/Chatham", "2026-09-26T23:10:00", "2026-09-27T02:30:00", "2026-04-04T23:10:00", "2026-04-05T02:30:00"},
        {"America/St_Johns", "2026-03-07T23:10:00", "2026-10-31T23:10:00"},
        {"America/Havana", "2026-03-07T22:10:00", "2026-10-31T23:10:00"},
        {"Asia/Beirut", "2026-03-28T22:10:00", "2026-10-24T22:10:00"},
        {"Antarctica/Troll", "2026-03-28T23:10:00", "2026-10-24T23:10:00"},
        {"Pacific/Apia", "2011-12-28T22:10:00"},
    };

    static final String[] INVALID = {
        "", " ", "0", "0 0", "0 0 12 * *", "0 0 12 *", "@daily", "0 0 12 * * *", "0 0 12 ? * ?", "0 0 12 1 * MON", "0 0 12 * * MON",
        "0 0 12 * * 2-6", "0 0 12 L * MON", "0 0 12 LW * *", "? * * * * ?", "0 ? * * * ?", "0 0 ? * * ?", "0 0 12 * ? ?", "0 0 12 1 ? MON",
        "60 * * * * ?", "0 60 * * * ?", "0 0 24 * * ?", "0 0 12 0 * ?", "0 0 12 32 * ?", "0 0 12 1 0 ?", "0 0 12 1 13 ?",
        "0 0 12 ? * 0", "0 0 12 ? * 8", "0-60 * * * * ?", "0 0-75 * * * ?", "0 0 0-24 * * ?", "0 0 12 1-32 * ?", "0 0 12 1 1-13 ?",
        "0 0 12 ? * 1-8", "75 * * * * ?", "0 100 * * * ?", "0 0 25 * * ?", "*/60 * * * * ?", "0 */60 * * * ?", "0 0 */24 * * ?", "0 0 12 */32 * ?",
        "0 0 12 1 */13 ?", "0 0 12 ? * */8", "0/60 * * * * ?", "0 5/75 * * * ?", "0 0 1/24 * * ?", "0 0 12 1/32 * ?", "0 0 12 1 1/13 ?",
        "0 0 12 ? * 2/8", "/60 * * * * ?", "*/ * * * * ?", "/ * * * * ?", "5/ * * * * ?", "5/7X * * * * ?", "0 0 12 L,15 * ?", "0 0 12 15,L * ?",
        "0 0 12 LW,1 * ?", "0 0 12 1,L-3 * ?", "0 0 12 ? * 6L,2", "0 0 12 ? * MON,FRIL", "0 0 12 ? * L,2", "0 0 12 ? * 2#1,3#2",
        "0 0 12 ? * MON#1,TUE#2", "0 0 12 ? * 2#", "0 0 12 ? * 2#0", "0 0 12 ? * 2#6", "0 0 12 ? * MON#6", "0 0 12 ? * MON#", "0 0 12 ? * FRI#X",
        "0 0 12 L-31 * ?", "0 0 12 L-99W * ?", "0 0 12 32W * ?", "0 0 12 ? * 2W", "0 0 12 5L * ?", "0 0 12 2#1 * ?", "0 5L * * * ?", "0 0 12 1 3W ?", "0 0 12 1 3# ?",
        "0 0 12 ? * 8L", "0 0 12 ? * 0L", "0 0 12 1 JUX ?", "0 0 12 1 JAN-FOO ?", "0 0 12 1 MON ?", "0 0 12 ? * FOO", "0 0 12 ? * MON-FOO", "0 0 12 ? * JAN",
        "MON * * * * ?", "0 ABC * * * ?", "0 0 XYZ * * ?", "0 0 12 MON * ?", "0 0 12 LXX * ?", "0 0 12 ? * LXX", "0 0 12 1 1 ? MON", "-5 * * * * ?", "# * * * * ?", "0 0 12 ? * ?",
        "0 0 12 ?XX * MON", "0 0 12 ? * ?XX", "0 0 12 * * ?; DROP", "$ 0 12 * * ?", "0 0 12 & * ?", "0 0 12 *,? * ?",
        // those that die of a Java exception inside the parser
        "5- * * * * ?", "5-X * * * * ?", "5-7/ * * * * ?", "5-7/X * * * * ?", "5/X * * * * ?", "*/X * * * * ?", "*/5-7 * * * * ?", "0 0 12 ? * MO", "0 0 12 ? * MON-", "0 0 12 ? * MON-FR",
        "0 0 12 ? * MON-5", "0 0 12 1 JA ?", "0 0 12 1 JAN- ?", "0 0 12 1 1-MAR ?", "0 0 12 W * ?", "0 0 12 L- * ?", "0 0 12 , * ?", "99999999999 * * * * ?", "0 0 12 1 1 ? 2030-2020",
        "0 0 12 1 1 ? 2030-2020/2", "0 0 12 1 1 ? 9999/2", "//5 * * * * ?", "A * * * * ?",
    };

    public static void main(String[] arguments) throws Exception {
        int random = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 300;
        long seed = arguments.length > 1 ? Long.parseLong(arguments[1]) : 20260115L;
        if (arguments.length == 0) {
            operators();
            clockChanges();
            for (String expression : INVALID) {
                invalid(expression);
            }
        }
        random(random, new Random(seed));
    }

    static void operators() throws ParseException {
        for (int i = 0; i < OPERATORS.length; i++) {
            fires("operator", OPERATORS[i], ZONES[i % ZONES.length], Instant.parse(STARTS[i % STARTS.length]), 5);
            fires("operator", OPERATORS[i], "UTC", Instant.parse(STARTS[(i + 1) % STARTS.length]), 5);
        }
    }

    static void clockChanges() throws ParseException {
        for (String[] day : CHANGE_DAYS) {
            ZoneId zone = ZoneId.of(day[0]);
            for (int start = 1; start < day.length; start++) {
                Instant from = LocalDateTime.parse(day[start]).atZone(zone).toInstant();
                for (String expression : CLOCK_CHANGES) {
                    fires("change", expression, day[0], from, 6);
                }
            }
        }
    }

    static void invalid(String expression) {
        try {
            new CronExpression(expression);
            throw new IllegalStateException("accepted: " + expression);
        } catch (ParseException refused) {
            System.out.println("[\"invalid\"," + quote(expression) + "," + quote(refused.getMessage()) + "]");
        }
    }

    static void fires(String kind, String expression, String zone, Instant from, int count) throws ParseException {
        CronExpression cron = new CronExpression(expression);
        cron.setTimeZone(TimeZone.getTimeZone(zone));
        List<String> runs = new ArrayList<>();
        Date at = Date.from(from);
        while (runs.size() < count && at != null) {
            at = cron.getNextValidTimeAfter(at);
            runs.add(at == null ? "null" : String.valueOf(at.getTime() / 1000));
        }
        String start = from.toString();
        System.out.println("[\"" + kind + "\"," + quote(expression) + "," + quote(zone) + ",\"" + start + "\",[" + String.join(",", runs) + "]]");
    }

    /** Expressions that are put together at random, from any second of 2022 to 2035; nW stays within every month (REQ-62). */
    static void random(int count, Random dice) throws ParseException {
        for (int i = 0; i < count; i++) {
            String expression = expression(dice);
            String zone = ZONES[dice.nextInt(ZONES.length)];
            Instant from = Instant.ofEpochSecond(1640995200L + (long) (dice.nextDouble() * 13 * 365.25 * 86400));
            fires("random", expression, zone, from, 4);
        }
    }

    static String expression(Random dice) {
        String seconds = dice.nextInt(3) > 0 ? String.valueOf(dice.nextInt(60)) : field(dice, 0, 59);
        String minutes = dice.nextInt(3) > 1 ? String.valueOf(dice.nextInt(60)) : field(dice, 0, 59);
        String month = dice.nextInt(2) > 0 ? "*" : field(dice, 1, 12);
        String days = dice.nextInt(2) > 0 ? dayOfMonth(dice) + " " + month + " ?" : "? " + month + " " + dayOfWeek(dice);
        String year = dice.nextInt(5) > 0 ? "" : " " + (2020 + dice.nextInt(8)) + "-" + (2028 + dice.nextInt(20));
        return seconds + " " + minutes + " " + field(dice, 0, 23) + " " + days + year;
    }

    static String dayOfMonth(Random dice) {
        switch (dice.nextInt(6)) {
            case 0: return "L";
            case 1: return "L-" + dice.nextInt(31);
            case 2: return dice.nextInt(4) > 0 ? "L-" + dice.nextInt(27) + "W" : "LW";
            case 3: return (1 + dice.nextInt(28)) + "W";
            default: return field(dice, 1, 31);
        }
    }

    static String dayOfWeek(Random dice) {
        switch (dice.nextInt(5)) {
            case 0: return (1 + dice.nextInt(7)) + "L";
            case 1: return (1 + dice.nextInt(7)) + "#" + (1 + dice.nextInt(5));
            default: return field(dice, 1, 7);
        }
    }

    static String field(Random dice, int low, int high) {
        if (dice.nextInt(4) == 0) {
            return "*";
        }
        StringBuilder list = new StringBuilder(element(dice, low, high));
        while (dice.nextInt(3) == 0) {
            list.append(',').append(element(dice, low, high));
        }
        return list.toString();
    }

    static String element(Random dice, int low, int high) {
        int a = low + dice.nextInt(high - low + 1);
        int b = low + dice.nextInt(high - low + 1);
        int step = 1 + dice.nextInt(high == 59 ? 59 : high == 23 ? 23 : high);
        switch (dice.nextInt(6)) {
            case 0: return a + "-" + b;
            case 1: return a + "-" + b + "/" + step;
            case 2: return a + "/" + step;
            case 3: return "*/" + step;
            default: return String.valueOf(a);
        }
    }

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
