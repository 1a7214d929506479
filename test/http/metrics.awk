# SPDX-License-Identifier: Apache-2.0
# metrics.awk - holds a file to the Prometheus text format: every series after its HELP and TYPE,
# valid names, labels and values, no series twice, histograms that add up. Prints what is wrong.

function wrong(why) {
    print NR ": " why ": " $0
    bad = 1
}

/^# HELP / { if ($3 in help) wrong("second HELP"); help[$3] = 1; next }
/^# TYPE / {
    if (!($3 in help)) wrong("TYPE without HELP")
    if ($3 in type) wrong("second TYPE")
    if ($4 !~ /^(counter|gauge|histogram)$/) wrong("unknown type")
    type[$3] = $4
    next
}
/^#/ || /^$/ { wrong("unexpected line"); next }

{
    if ($0 !~ /^[a-z_]+(\{[a-z_]+="([^"\\]|\\["\\n])*"(,[a-z_]+="([^"\\]|\\["\\n])*")*\})? -?[0-9]+(\.[0-9]+)?(e[+-][0-9]+)?$/)
        wrong("no sample")
    name = $1
    sub(/\{.*/, "", name)
    base = name
    sub(/_(bucket|sum|count)$/, "", base)
    family = (base in type) && type[base] == "histogram" ? base : name
    if (family != group && family in begun) wrong("not with the others of its name")
    begun[family] = 1
    group = family
    if (!(family in type)) wrong("no TYPE")
    if (type[family] == "counter" && name !~ /_total$/) wrong("a counter's name ends in _total")
    series = $0
    sub(/ [^ ]*$/, "", series)
    if (series in seen) wrong("second time")
    seen[series] = 1
    if (name ~ /_bucket$/) {
        if ($NF + 0 < last + 0) wrong("buckets must not fall")
        last = $NF
        if ($0 ~ /le="\+Inf"/) { inf[base] = $NF; last = 0 }
    }
    if (name ~ /_count$/ && inf[base] != $NF) wrong("count is not the last bucket")
    samples++
}

END {
    if (samples == 0) { print "no samples"; bad = 1 }
    exit bad
}
