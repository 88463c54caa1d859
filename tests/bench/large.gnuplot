# `data` and `picture` are set by compare.py: a candidate a line, with median,
# least and most of its GiB/s and of its CPU seconds per GiB.
set terminal svg size 900,620 font "sans,12"
set output picture
set style fill solid 0.6 border -1
set boxwidth 0.7
set grid ytics
set xtics rotate by -35 nomirror noenhanced
set yrange [0:*]
unset key
set multiplot layout 2,1
set title "One large file, socket to disk: GiB/s"
plot data using 0:2:xtic(1) with boxes, data using 0:2:3:4 with yerrorbars lc "black" pt 0
set title "CPU seconds of the receiver, per GiB"
plot data using 0:5:xtic(1) with boxes, data using 0:5:6:7 with yerrorbars lc "black" pt 0
unset multiplot
