# demo.awk -- what a map rests on, from the record that the layer keeps (JSON,
# a member a line): the nearest cluster and what it holds, and a warning where
# nothing is near, or the next cluster within 0.01
BEGIN                { FS = "\"" }
/"labels"/           { inside = 1; next }
inside && /]/        { inside = 0; next }
inside && ++n > 3    { more = ", ..."; next }
inside               { labels = labels (n > 1 ? ", " : "") $2; next }
                     { sub (/^ : /, "", $3); of[$2] = $3 }
END {
  printf ("nearest cluster %d (%s%s), similarity %.3f\n",
          of["cluster"], labels, more, of["similarity"])
  second = of["second_similarity"]
  if (of["far"] ~ /true/)
    print "    unlike everything in the database: do not trust this map"
  else if (second != "" && of["similarity"] - second < 0.01)
    printf ("    cluster %d is about as near (%.3f): it may give another map\n",
            of["second_cluster"], second)
}
