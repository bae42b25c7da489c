# A program with a child of its own; prints both process ids.
sleep 300 &
echo "$$ $!"
wait
